//! The gateways of a run: one, or several that share a stream.

use std::path::PathBuf;
use std::sync::Arc;

use super::brokers::Brokers;
use super::faults::{Gateways, Ways};
use super::replicas::Replicas;
use super::world::World;

pub(crate) enum Fleet {
    One(Box<Gateways>),
    Several(Box<Replicas>),
}

impl Fleet {
    pub(crate) async fn start(world: Arc<World>, brokers: Arc<Brokers>, program: PathBuf) -> Self {
        match world.plan.replicas {
            None => Self::One(Gateways::start(world, brokers, program).await.into()),
            Some(count) => {
                let replicas = Replicas::start(world, brokers, program, count);
                Self::Several(replicas.await.into())
            }
        }
    }

    pub(crate) fn ways_to_members(&self) -> Arc<Ways> {
        match self {
            Self::One(gateways) => gateways.ways_to_members(),
            Self::Several(replicas) => replicas.ways_to_members(),
        }
    }

    /// The last lines of the gateways' logs.
    pub(crate) fn log(&self) -> String {
        match self {
            Self::One(gateways) => gateways.log(),
            Self::Several(replicas) => replicas.log(),
        }
    }

    /// Brings about faults until the run drains.
    pub(crate) async fn run(self) -> Self {
        match self {
            Self::One(gateways) => Self::One(gateways.run().await.into()),
            Self::Several(replicas) => Self::Several(replicas.run().await.into()),
        }
    }

    /// Ends the gateways as an operator does; whether they did what they should.
    pub(crate) async fn stop(self) {
        match self {
            Self::One(gateways) => gateways.stop().await,
            Self::Several(replicas) => replicas.stop().await,
        }
    }
}

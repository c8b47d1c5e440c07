//! Limits: how many there may be at a time, in all and of one address, and new ones of one address.

use std::collections::HashMap;
use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;
use std::time::Instant;

use crate::lock::Mutex;

/// The limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// At a time, in all.
    pub all: usize,
    /// At a time, of one address; 0: any number.
    pub address: usize,
    /// New ones of one address, a second, and as many (one at least) at once; 0: any number.
    pub rate: u32,
}

/// Issues permits within the bounds.
#[derive(Debug)]
pub struct Permits {
    bounds: Bounds,
    taken: Mutex<Taken>,
}

/// A permit, held until it is dropped.
pub struct Permit {
    permits: Arc<Permits>,
    account: IpAddr,
}

impl fmt::Debug for Permit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The other permits are not part of it.
        f.debug_struct("Permit").finish_non_exhaustive()
    }
}

/// The limit that is exceeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LimitExceeded {
    /// In all.
    All,
    /// Of this address.
    Address,
    /// New ones of this address.
    Rate,
}

impl fmt::Display for LimitExceeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::All => "too many in all",
            Self::Address => "too many of this address",
            Self::Rate => "too many new ones of this address",
        })
    }
}

#[derive(Debug, Default)]
struct Taken {
    all: usize,
    accounts: HashMap<IpAddr, Account>,
    /// Sweep threshold, in accounts.
    sweep_at: usize,
}

/// The permits and the token bucket of an address. Without permits and with a full bucket (within a
/// second) it is as good as a new one.
#[derive(Debug)]
struct Account {
    permits: usize,
    /// Tokens for new permits, as of `refilled`.
    tokens: f64,
    refilled: Instant,
}

/// The least sweep threshold, in accounts.
const MIN_SWEEP: usize = 1024;

impl Permits {
    /// Permits within `bounds`, none of them taken.
    pub fn new(bounds: Bounds) -> Arc<Self> {
        Arc::new(Self {
            bounds,
            taken: Mutex::default(),
        })
    }

    /// Takes a permit for a client at `address`.
    ///
    /// # Errors
    /// The limit that is exceeded; a token is not spent then.
    pub fn take(self: &Arc<Self>, address: IpAddr) -> Result<Permit, LimitExceeded> {
        self.take_within(self.bounds.address, address, Instant::now())
    }

    /// The same at `now`, for at most `address_limit` permits of the address.
    ///
    /// # Errors
    /// As above.
    pub(crate) fn take_within(
        self: &Arc<Self>,
        address_limit: usize,
        address: IpAddr,
        now: Instant,
    ) -> Result<Permit, LimitExceeded> {
        let Bounds { all, rate, .. } = self.bounds;
        let mut taken = self.taken.lock();
        if taken.all >= all {
            return Err(LimitExceeded::All);
        }
        taken.sweep(rate, now);
        let key = account(address);
        let account = taken
            .accounts
            .entry(key)
            .or_insert_with(|| Account::new(rate, now));
        if address_limit > 0 && account.permits >= address_limit {
            return Err(LimitExceeded::Address);
        }
        if rate > 0 {
            account.refill(rate, now);
            if account.tokens < 1.0 {
                return Err(LimitExceeded::Rate);
            }
            account.tokens -= 1.0;
        }
        account.permits += 1;
        taken.all += 1;
        Ok(Permit {
            permits: self.clone(),
            account: key,
        })
    }
}

impl Taken {
    /// Drops the accounts that are as good as new ones, whenever their number has doubled: a client
    /// with many addresses does not fill memory with them.
    fn sweep(&mut self, rate: u32, now: Instant) {
        if self.accounts.len() < self.sweep_at.max(MIN_SWEEP) {
            return;
        }
        self.accounts.retain(|_, account| {
            account.refill(rate, now);
            account.permits > 0 || account.tokens < burst(rate)
        });
        self.sweep_at = 2 * self.accounts.len();
    }
}

impl Account {
    fn new(rate: u32, now: Instant) -> Self {
        Self {
            permits: 0,
            tokens: burst(rate),
            refilled: now,
        }
    }

    fn refill(&mut self, rate: u32, now: Instant) {
        let passed = now.saturating_duration_since(self.refilled).as_secs_f64();
        self.tokens = (self.tokens + passed * f64::from(rate)).min(burst(rate));
        self.refilled = now;
    }
}

/// The size of the token bucket: one second's worth.
fn burst(rate: u32) -> f64 {
    f64::from(rate.max(1))
}

impl Drop for Permit {
    fn drop(&mut self) {
        let rate = self.permits.bounds.rate;
        let mut taken = self.permits.taken.lock();
        taken.all -= 1;
        if let Some(account) = taken.accounts.get_mut(&self.account) {
            account.permits -= 1;
            if account.permits == 0 && rate == 0 {
                taken.accounts.remove(&self.account);
            }
        }
    }
}

/// The address under which a permit is counted: an IPv4 address, however it is written; of an IPv6 address
/// the network, the first 64 bits, since a client with one address of it has them all.
fn account(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let network = u128::from(address) & !u128::from(u64::MAX);
            Ipv6Addr::from(network).into()
        }
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const ANY: Bounds = Bounds {
        all: usize::MAX,
        address: 0,
        rate: 0,
    };

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn exceeded(permits: &Arc<Permits>, address: &str) -> Option<LimitExceeded> {
        permits.take(ip(address)).err()
    }

    #[test]
    fn a_permit_that_is_dropped_is_free_again() {
        let permits = Permits::new(Bounds {
            all: 3,
            address: 2,
            ..ANY
        });
        let first = permits.take(ip("10.0.0.1")).unwrap();
        let _second = permits.take(ip("10.0.0.1")).unwrap();
        assert_eq!(exceeded(&permits, "10.0.0.1"), Some(LimitExceeded::Address));
        let third = permits.take(ip("10.0.0.2")).unwrap();
        assert_eq!(exceeded(&permits, "10.0.0.3"), Some(LimitExceeded::All));
        drop(first);
        let _first = permits.take(ip("10.0.0.1")).unwrap();
        drop(third);
        assert_eq!(exceeded(&permits, "10.0.0.1"), Some(LimitExceeded::Address));
        assert_eq!(exceeded(&permits, "10.0.0.3"), None);
        assert_eq!(permits.taken.lock().accounts.len(), 1);
    }

    #[test]
    fn one_network_is_one_account() {
        let permits = Permits::new(Bounds { address: 1, ..ANY });
        let _v4 = permits.take(ip("::ffff:10.0.0.1")).unwrap();
        assert_eq!(exceeded(&permits, "10.0.0.1"), Some(LimitExceeded::Address));
        let _v6 = permits.take(ip("2001:db8:1:2::1")).unwrap();
        assert_eq!(
            exceeded(&permits, "2001:db8:1:2:ffff::9"),
            Some(LimitExceeded::Address)
        );
        assert_eq!(exceeded(&permits, "2001:db8:1:3::1"), None);
    }

    #[test]
    fn new_ones_are_bounded_by_a_second_and_a_refusal_costs_nothing() {
        let permits = Permits::new(Bounds { rate: 2, ..ANY });
        let begun = Instant::now();
        let exceeded = |passed| {
            let at = begun + Duration::from_millis(passed);
            permits.take_within(0, ip("10.0.0.1"), at).err()
        };
        assert_eq!([exceeded(0), exceeded(0)], [None, None]);
        assert_eq!([exceeded(0), exceeded(499)], [Some(LimitExceeded::Rate); 2]);
        assert_eq!(
            [exceeded(500), exceeded(501)],
            [None, Some(LimitExceeded::Rate)]
        );
        // No more than one second's worth is saved.
        assert_eq!([exceeded(9_000), exceeded(9_000)], [None, None]);
        assert_eq!(exceeded(9_000), Some(LimitExceeded::Rate));
    }

    #[test]
    fn addresses_that_come_once_are_dropped() {
        let permits = Permits::new(Bounds { rate: 5, ..ANY });
        let mut now = Instant::now();
        let kept = permits.take_within(0, ip("10.1.0.1"), now).unwrap();
        for number in 0..200_000_u32 {
            let address = IpAddr::from(number.to_be_bytes());
            now += Duration::from_millis(1);
            drop(permits.take_within(0, address, now).unwrap());
        }
        let taken = permits.taken.lock();
        // A thousand come in the second that it takes to be dropped.
        assert!(
            taken.accounts.len() <= 3 * MIN_SWEEP,
            "{}",
            taken.accounts.len()
        );
        assert_eq!(taken.accounts[&ip("10.1.0.1")].permits, 1);
        drop(taken);
        drop(kept);
    }
}

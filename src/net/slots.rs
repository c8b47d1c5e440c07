//! How many there may be at a time: in all, of one address, and new ones of one address.

use std::collections::HashMap;
use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// How many there may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// At a time, in all.
    pub all: usize,
    /// At a time, of one address; 0: any number.
    pub address: usize,
    /// New ones of one address, a second, and as many (one at least) at once; 0: any number.
    pub rate: u32,
}

/// Gives out as many slots as there may be.
#[derive(Debug)]
pub struct Slots {
    bounds: Bounds,
    taken: Mutex<Taken>,
}

/// One of them, until it is dropped.
pub struct Slot {
    slots: Arc<Slots>,
    account: IpAddr,
}

impl fmt::Debug for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The others are not part of it.
        f.debug_struct("Slot").finish_non_exhaustive()
    }
}

/// What there is too much of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Full {
    /// In all.
    All,
    /// Of this address.
    Address,
    /// New ones of this address.
    Rate,
}

impl fmt::Display for Full {
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
    /// At how many accounts it is looked for those that are not needed any more.
    sweep_at: usize,
}

/// What is known of an address: nothing that a new one would not say once it has no slots and its
/// tokens are complete again, which takes a second.
#[derive(Debug)]
struct Account {
    slots: usize,
    /// How many new ones it may have, as of `counted`.
    tokens: f64,
    counted: Instant,
}

/// The least number of accounts that is worth a look.
const FEW_ACCOUNTS: usize = 1024;

impl Slots {
    /// As many as `bounds` says, none of them taken.
    pub fn new(bounds: Bounds) -> Arc<Self> {
        Arc::new(Self {
            bounds,
            taken: Mutex::default(),
        })
    }

    /// Takes a slot for `address`.
    ///
    /// # Errors
    /// What there is too much of; a token is not spent then.
    pub fn take(self: &Arc<Self>, address: IpAddr) -> Result<Slot, Full> {
        self.take_at(address, Instant::now())
    }

    /// The same for what the address may have fewer of: `own` slots of all kinds are too many.
    ///
    /// # Errors
    /// As above.
    pub fn take_one_of(self: &Arc<Self>, own: usize, address: IpAddr) -> Result<Slot, Full> {
        self.take_below(own, address, Instant::now())
    }

    fn take_at(self: &Arc<Self>, address: IpAddr, now: Instant) -> Result<Slot, Full> {
        self.take_below(self.bounds.address, address, now)
    }

    fn take_below(
        self: &Arc<Self>,
        own: usize,
        address: IpAddr,
        now: Instant,
    ) -> Result<Slot, Full> {
        let Bounds { all, rate, .. } = self.bounds;
        let mut taken = self.lock();
        if taken.all >= all {
            return Err(Full::All);
        }
        taken.sweep(rate, now);
        let key = account(address);
        let account = taken
            .accounts
            .entry(key)
            .or_insert_with(|| Account::new(rate, now));
        if own > 0 && account.slots >= own {
            return Err(Full::Address);
        }
        if rate > 0 {
            account.refill(rate, now);
            if account.tokens < 1.0 {
                return Err(Full::Rate);
            }
            account.tokens -= 1.0;
        }
        account.slots += 1;
        taken.all += 1;
        Ok(Slot {
            slots: self.clone(),
            account: key,
        })
    }

    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Taken {
    /// Forgets what need not be known, whenever there is twice as much as the last time: whoever
    /// comes from many addresses does not fill memory with them.
    fn sweep(&mut self, rate: u32, now: Instant) {
        if self.accounts.len() < self.sweep_at.max(FEW_ACCOUNTS) {
            return;
        }
        self.accounts.retain(|_, account| {
            account.refill(rate, now);
            account.slots > 0 || account.tokens < burst(rate)
        });
        self.sweep_at = 2 * self.accounts.len();
    }
}

impl Account {
    fn new(rate: u32, now: Instant) -> Self {
        Self {
            slots: 0,
            tokens: burst(rate),
            counted: now,
        }
    }

    fn refill(&mut self, rate: u32, now: Instant) {
        let passed = now.saturating_duration_since(self.counted).as_secs_f64();
        self.tokens = (self.tokens + passed * f64::from(rate)).min(burst(rate));
        self.counted = now;
    }
}

/// One second's worth.
fn burst(rate: u32) -> f64 {
    f64::from(rate.max(1))
}

impl Drop for Slot {
    fn drop(&mut self) {
        let rate = self.slots.bounds.rate;
        let mut taken = self.slots.lock();
        taken.all -= 1;
        if let Some(account) = taken.accounts.get_mut(&self.account) {
            account.slots -= 1;
            if account.slots == 0 && rate == 0 {
                taken.accounts.remove(&self.account);
            }
        }
    }
}

/// Under which address one is counted: an IPv4 address, however it is written; of an IPv6 address
/// the network, the first 64 bits, since whoever has one address of it has them all.
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

    fn full(slots: &Arc<Slots>, address: &str) -> Option<Full> {
        slots.take(ip(address)).err()
    }

    #[test]
    fn a_slot_that_is_dropped_is_free_again() {
        let slots = Slots::new(Bounds {
            all: 3,
            address: 2,
            ..ANY
        });
        let first = slots.take(ip("10.0.0.1")).unwrap();
        let _second = slots.take(ip("10.0.0.1")).unwrap();
        assert_eq!(full(&slots, "10.0.0.1"), Some(Full::Address));
        let third = slots.take(ip("10.0.0.2")).unwrap();
        assert_eq!(full(&slots, "10.0.0.3"), Some(Full::All));
        drop(first);
        let _first = slots.take(ip("10.0.0.1")).unwrap();
        drop(third);
        assert_eq!(full(&slots, "10.0.0.1"), Some(Full::Address));
        assert_eq!(full(&slots, "10.0.0.3"), None);
        assert_eq!(slots.lock().accounts.len(), 1);
    }

    #[test]
    fn one_network_is_one_account() {
        let slots = Slots::new(Bounds { address: 1, ..ANY });
        let _v4 = slots.take(ip("::ffff:10.0.0.1")).unwrap();
        assert_eq!(full(&slots, "10.0.0.1"), Some(Full::Address));
        let _v6 = slots.take(ip("2001:db8:1:2::1")).unwrap();
        assert_eq!(full(&slots, "2001:db8:1:2:ffff::9"), Some(Full::Address));
        assert_eq!(full(&slots, "2001:db8:1:3::1"), None);
    }

    #[test]
    fn new_ones_are_bounded_by_a_second_and_a_refusal_costs_nothing() {
        let slots = Slots::new(Bounds { rate: 2, ..ANY });
        let begun = Instant::now();
        let full = |passed| {
            let at = begun + Duration::from_millis(passed);
            slots.take_at(ip("10.0.0.1"), at).err()
        };
        assert_eq!([full(0), full(0)], [None, None]);
        assert_eq!([full(0), full(499)], [Some(Full::Rate); 2]);
        assert_eq!([full(500), full(501)], [None, Some(Full::Rate)]);
        // No more than one second's worth is saved.
        assert_eq!([full(9_000), full(9_000)], [None, None]);
        assert_eq!(full(9_000), Some(Full::Rate));
    }

    #[test]
    fn addresses_that_come_once_are_forgotten() {
        let slots = Slots::new(Bounds { rate: 5, ..ANY });
        let mut now = Instant::now();
        let kept = slots.take_at(ip("10.1.0.1"), now).unwrap();
        for number in 0..200_000_u32 {
            let address = IpAddr::from(number.to_be_bytes());
            now += Duration::from_millis(1);
            drop(slots.take_at(address, now).unwrap());
        }
        let taken = slots.lock();
        // A thousand come in the second that it takes to be forgotten.
        assert!(
            taken.accounts.len() <= 3 * FEW_ACCOUNTS,
            "{}",
            taken.accounts.len()
        );
        assert_eq!(taken.accounts[&ip("10.1.0.1")].slots, 1);
        drop(taken);
        drop(kept);
    }
}

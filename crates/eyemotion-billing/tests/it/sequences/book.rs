//! What a ledger should do, in memory and without a thought for speed.

use chrono::{DateTime, Utc};

type Time = DateTime<Utc>;

struct Lot {
    /// 0 included, 1 given, 2 bought: the order in which they pay.
    kind: usize,
    granted: i64,
    remaining: i64,
    held: i64,
    expires: Option<Time>,
    frozen: bool,
    /// By reversals of the grant that made it.
    reversed: i64,
}

impl Lot {
    fn is_over(&self, now: Time) -> bool {
        self.expires.is_some_and(|end| end <= now)
    }

    fn is_spendable(&self, now: Time) -> bool {
        !self.frozen && !self.is_over(now)
    }

    const fn free(&self) -> i64 {
        self.remaining - self.held
    }
}

pub struct Held {
    lines: Vec<(usize, i64)>,
    expires: Time,
    state: &'static str,
}

#[derive(Default)]
pub struct Book {
    /// Oldest first.
    lots: Vec<Lot>,
    /// Which lot each grant made.
    grants: Vec<usize>,
    pub holds: Vec<Held>,
    pub debt: i64,
}

impl Book {
    pub fn available(&self, now: Time) -> i64 {
        let spendable = self.lots.iter().filter(|lot| lot.is_spendable(now));
        spendable.map(Lot::free).sum()
    }

    pub fn held(&self) -> i64 {
        let pending = self.holds.iter().filter(|hold| hold.state == "pending");
        pending
            .flat_map(|hold| &hold.lines)
            .map(|line| line.1)
            .sum()
    }

    /// What is free of lots whose time is over is gone.
    fn settle(&mut self, now: Time) {
        for lot in &mut self.lots {
            if !lot.frozen && lot.is_over(now) {
                lot.remaining = lot.held;
            }
        }
    }

    /// The lots that pay, first to last.
    fn payers(&self, now: Time) -> Vec<usize> {
        let mut payers: Vec<usize> = (0..self.lots.len())
            .filter(|&index| self.lots[index].is_spendable(now))
            .collect();
        payers.sort_by_key(|&index| self.order(index));
        payers
    }

    fn order(&self, index: usize) -> (bool, Option<Time>, usize, usize) {
        let lot = &self.lots[index];
        (lot.expires.is_none(), lot.expires, lot.kind, index)
    }

    /// Takes up to `amount` of what is free in these lots: how much from which.
    fn draw(&self, from: Vec<usize>, amount: i64) -> Vec<(usize, i64)> {
        let mut missing = amount;
        let mut drawn = Vec::new();
        for index in from {
            let taken = self.lots[index].free().min(missing);
            if taken > 0 {
                drawn.push((index, taken));
                missing -= taken;
            }
        }
        drawn
    }

    fn remove(&mut self, drawn: &[(usize, i64)]) -> i64 {
        for (index, amount) in drawn {
            self.lots[*index].remaining -= amount;
        }
        drawn.iter().map(|(_, amount)| amount).sum()
    }

    fn repay(&mut self, now: Time) {
        let mut bought = self.payers(now);
        bought.retain(|&index| self.lots[index].kind == 2);
        let drawn = self.draw(bought, self.debt);
        self.debt -= self.remove(&drawn);
    }

    pub fn grant(&mut self, now: Time, kind: usize, amount: i64, expires: Option<Time>) -> i64 {
        self.settle(now);
        let repaid = self.debt.min(amount);
        self.debt -= repaid;
        self.grants.push(self.lots.len());
        self.lots.push(Lot {
            kind,
            granted: amount,
            remaining: amount - repaid,
            held: 0,
            expires,
            frozen: false,
            reversed: 0,
        });
        self.available(now)
    }

    fn pay(&mut self, now: Time, amount: i64) -> Result<Vec<(usize, i64)>, &'static str> {
        self.settle(now);
        if self.available(now) < amount {
            for index in 0..self.holds.len() {
                if self.holds[index].state == "pending" && self.holds[index].expires <= now {
                    self.resolve(now, index, "expired", 0);
                }
            }
        }
        if self.available(now) < amount {
            return Err("insufficient");
        }
        Ok(self.draw(self.payers(now), amount))
    }

    pub fn spend(&mut self, now: Time, amount: i64) -> Result<i64, &'static str> {
        let drawn = self.pay(now, amount)?;
        self.remove(&drawn);
        Ok(self.available(now))
    }

    pub fn hold(&mut self, now: Time, amount: i64, expires: Time) -> Result<i64, &'static str> {
        let lines = self.pay(now, amount)?;
        for (index, amount) in &lines {
            self.lots[*index].held += amount;
        }
        let state = "pending";
        self.holds.push(Held {
            lines,
            expires,
            state,
        });
        Ok(self.available(now))
    }

    fn pending(&self, now: Time, hold: usize) -> Result<(), &'static str> {
        match self.holds.get(hold) {
            None => Err("not found"),
            Some(hold) if hold.state != "pending" => Err(hold.state),
            Some(hold) if hold.expires <= now => Err("expired"),
            Some(_) => Ok(()),
        }
    }

    fn resolve(&mut self, now: Time, hold: usize, state: &'static str, captured: i64) -> i64 {
        self.holds[hold].state = state;
        let mut lines = std::mem::take(&mut self.holds[hold].lines);
        lines.sort_by_key(|&(index, _)| self.order(index));
        let mut missing = captured;
        for (index, amount) in lines {
            let taken = amount.min(missing);
            missing -= taken;
            self.lots[index].held -= amount;
            self.lots[index].remaining -= taken;
        }
        self.settle(now);
        self.repay(now);
        self.available(now)
    }

    pub fn capture(
        &mut self,
        now: Time,
        hold: usize,
        amount: Option<i64>,
    ) -> Result<i64, &'static str> {
        self.pending(now, hold)?;
        let kept = self.holds[hold].lines.iter().map(|line| line.1).sum();
        let amount = amount.unwrap_or(kept);
        if amount > kept {
            return Err("beyond");
        }
        Ok(self.resolve(now, hold, "captured", amount))
    }

    pub fn release(&mut self, now: Time, hold: usize) -> Result<i64, &'static str> {
        self.pending(now, hold)?;
        Ok(self.resolve(now, hold, "released", 0))
    }

    pub fn extend(&mut self, now: Time, hold: usize, until: Time) -> Result<(), &'static str> {
        self.pending(now, hold)?;
        let expires = &mut self.holds[hold].expires;
        *expires = until.max(*expires);
        Ok(())
    }

    /// What is moved.
    pub fn target(&mut self, now: Time, grant: usize, target: i64) -> i64 {
        self.settle(now);
        let own = self.grants[grant];
        let target = target.min(self.lots[own].granted);
        let delta = target - self.lots[own].reversed;
        self.lots[own].reversed = target;
        if delta > 0 {
            let drawn = self.draw(vec![own], delta);
            let mut missing = delta - self.remove(&drawn);
            let mut others = self.payers(now);
            others.retain(|&index| self.lots[index].kind == 2 && index != own);
            let drawn = self.draw(others, missing);
            missing -= self.remove(&drawn);
            self.debt += missing;
        } else {
            let repaid = self.debt.min(-delta);
            self.debt -= repaid;
            let rest = -delta - repaid;
            let lot = &mut self.lots[own];
            let fitting = rest.min(lot.granted - lot.remaining);
            lot.remaining += fitting;
            if rest > fitting {
                let beyond = rest - fitting;
                self.lots.push(Lot {
                    kind: 2,
                    granted: beyond,
                    remaining: beyond,
                    held: 0,
                    expires: None,
                    frozen: false,
                    reversed: 0,
                });
            }
            self.settle(now);
        }
        delta
    }

    pub fn freeze(&mut self, now: Time, grant: usize) {
        self.settle(now);
        let lot = &mut self.lots[self.grants[grant]];
        lot.frozen |= !lot.is_over(now);
    }

    pub fn unfreeze(&mut self, now: Time, grant: usize) {
        let lot = &mut self.lots[self.grants[grant]];
        if std::mem::take(&mut lot.frozen) {
            self.settle(now);
            self.repay(now);
        }
    }
}

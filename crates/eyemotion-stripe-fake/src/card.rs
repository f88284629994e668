//! What a customer pays with, and how it behaves.

/// A means of payment, by what happens when it is charged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Card {
    /// Every charge succeeds.
    Visa,
    /// Every charge succeeds; another brand and fingerprint.
    Mastercard,
    /// `card_declined`, `generic_decline`.
    Declined,
    /// `card_declined`, `insufficient_funds`.
    InsufficientFunds,
    /// `expired_card`.
    Expired,
    /// Each charge waits for its owner: `requires_action` until `authenticate`.
    Requires3ds,
    /// PromptPay: the session completes unpaid, the money comes or fails later (`settle_async_payment`).
    PromptPayLater,
}

/// How a charge ends.
pub(crate) enum Verdict {
    Paid,
    Declined {
        code: &'static str,
        decline: &'static str,
        message: &'static str,
    },
    NeedsAction,
    Later,
}

impl Card {
    /// By the word that the HTTP controls use.
    pub fn named(word: &str) -> Option<Self> {
        Some(match word {
            "visa" => Self::Visa,
            "mastercard" => Self::Mastercard,
            "declined" => Self::Declined,
            "insufficient_funds" => Self::InsufficientFunds,
            "expired" => Self::Expired,
            "requires_3ds" => Self::Requires3ds,
            "promptpay_later" => Self::PromptPayLater,
            _ => return None,
        })
    }

    pub(crate) fn verdict(self) -> Verdict {
        match self {
            Self::Visa | Self::Mastercard => Verdict::Paid,
            Self::Declined => Verdict::Declined {
                code: "card_declined",
                decline: "generic_decline",
                message: "Your card was declined.",
            },
            Self::InsufficientFunds => Verdict::Declined {
                code: "card_declined",
                decline: "insufficient_funds",
                message: "Your card has insufficient funds.",
            },
            Self::Expired => Verdict::Declined {
                code: "expired_card",
                decline: "expired_card",
                message: "Your card has expired.",
            },
            Self::Requires3ds => Verdict::NeedsAction,
            Self::PromptPayLater => Verdict::Later,
        }
    }

    pub(crate) fn method(self) -> &'static str {
        if self == Self::PromptPayLater {
            "promptpay"
        } else {
            "card"
        }
    }

    pub(crate) fn brand(self) -> &'static str {
        if self == Self::Mastercard {
            "mastercard"
        } else {
            "visa"
        }
    }

    pub(crate) fn last4(self) -> &'static str {
        match self {
            Self::Mastercard => "4444",
            Self::Declined => "0002",
            Self::InsufficientFunds => "9995",
            Self::Expired => "0069",
            Self::Requires3ds => "3155",
            Self::Visa | Self::PromptPayLater => "4242",
        }
    }
}

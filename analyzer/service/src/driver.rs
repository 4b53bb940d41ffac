//! The stage `drive`: what breaks the system, or when it was broken.

#![cfg_attr(
    not(feature = "demo"),
    expect(
        unused_variables,
        clippy::unused_async,
        reason = "only a fault that is still to come is waited for and tells how far it is"
    )
)]

use aftermath_model::Experiment;

use crate::failure::Failure;
use crate::progress::Progress;

/// What breaks the system. A closed set.
pub enum Driver {
    /// Somebody else did, at known times.
    Past(Box<Experiment>),
    /// The demo shop, which breaks itself.
    #[cfg(feature = "demo")]
    Shop(Box<crate::demo::ShopDriver>),
}

impl Driver {
    /// Waits while the baseline passes; `None` when the fault is over already and nothing can be prevented.
    ///
    /// # Errors
    /// A [`Failure`] when the system under test goes away.
    pub async fn take_baseline(&self, progress: &Progress) -> Result<Option<Experiment>, Failure> {
        match self {
            Self::Past(_) => Ok(None),
            #[cfg(feature = "demo")]
            Self::Shop(shop) => shop.take_baseline(progress).await.map(Some),
        }
    }

    /// Breaks the system, watches it heal, and says what happened when.
    ///
    /// # Errors
    /// A [`Failure`] when the fault could not be carried out.
    pub async fn drive(&self, progress: &Progress) -> Result<Experiment, Failure> {
        match self {
            Self::Past(experiment) => Ok((**experiment).clone()),
            #[cfg(feature = "demo")]
            Self::Shop(shop) => shop.drive(progress).await,
        }
    }
}

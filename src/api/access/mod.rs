//! Who asks, and what they may: the kernel names whoever comes over the socket, a token names whoever comes over TCP.
//!
//! A request passes three questions in this order: is it meant for us (`peer`), who asks (`principal`), and may they
//! (`guard`, with the permission that the route declares). `pace` keeps one of them from crowding out the others, and
//! `repeat` keeps what was asked twice from being done twice. Before all of them `secret` sees to it that a token's secret
//! stands nowhere but where it belongs.

mod caller;
mod guard;
mod pace;
mod peer;
mod principal;
mod repeat;
mod secret;
mod user;

pub(super) use caller::Caller;
pub(super) use guard::{guard, owner};
pub(super) use pace::Pace;
pub(super) use peer::{Peer, is_meant_for_us};
pub(super) use principal::{Principal, digest};
pub(super) use repeat::{Repeats, key as repeated};
pub(super) use secret::{SECRET_MARK, keeps_secrets, told_secret};
pub(super) use user::{local_user, person_here};

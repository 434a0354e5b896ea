//! The pages, one file for each part of the shop.

pub(super) mod account;
pub(super) mod app;
pub(super) mod basket;
pub(super) mod catalogue;
pub(super) mod checkout;
pub(super) mod home;
pub(super) mod login;
pub(super) mod reading;

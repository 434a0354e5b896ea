//! What is promised of policies, tested on pages: the laws on random ones, the rules and the guard on small ones.

mod content;
mod echo;
mod examples;
mod files;
mod frames;
mod guard;
mod laws;
mod mirror;
mod precedence;
mod site;

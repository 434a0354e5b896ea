//! Names that many nodes share, and maps keyed by node ids.
//!
//! Interning is an economy, never a promise: when the table is full, names are simply not shared.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

use crate::protocol::NodeId;

/// The name of an element or attribute.
pub type Name = Arc<str>;
/// A map keyed by node ids.
pub type IdMap<V> = HashMap<NodeId, V, BuildHasherDefault<IdHasher>>;
/// A set of node ids.
pub type IdSet = HashSet<NodeId, BuildHasherDefault<IdHasher>>;

/// Distinct names that a page's table holds; real pages have some hundreds.
const TABLE: usize = 8_192;

/// Spreads node ids. They are given out by the tree in order, so nobody can choose colliding ones.
#[derive(Debug, Default, Clone, Copy)]
pub struct IdHasher(u64);

impl Hasher for IdHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u32(u32::from(*byte)));
    }

    fn write_u32(&mut self, id: u32) {
        self.0 = (self.0 ^ u64::from(id)).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29);
    }
}

/// The names of one page.
#[derive(Debug, Default)]
pub(super) struct Names(HashSet<Name>);

impl Names {
    pub(super) fn intern(&mut self, name: &str) -> Name {
        if let Some(known) = self.0.get(name) {
            return known.clone();
        }
        let name: Name = name.into();
        if self.0.len() < TABLE {
            self.0.insert(name.clone());
        }
        name
    }
}

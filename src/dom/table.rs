//! What is known of the nodes of a page, by their ids: almost as small as a list, though ids have gaps.
//!
//! Ids are given out in order, and most of a page comes at once, so neighbours in number are kept in one block. A block
//! goes with the last node in it: a page that changes for hours costs what it has, not what it had.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;

use crate::protocol::NodeId;

use super::names::IdHasher;

/// Ids in one block. With more, few nodes that are left of many would hold too much.
const BLOCK: u32 = 16;

type Block<V> = Box<[Option<V>; BLOCK as usize]>;

/// A map keyed by node ids.
#[derive(Debug)]
pub struct IdTable<V> {
    blocks: HashMap<u32, Block<V>, BuildHasherDefault<IdHasher>>,
    length: usize,
}

impl<V> Default for IdTable<V> {
    fn default() -> Self {
        IdTable { blocks: HashMap::default(), length: 0 }
    }
}

impl<V> IdTable<V> {
    /// How many ids there are.
    pub fn len(&self) -> usize {
        self.length
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// What is known of an id.
    pub fn get(&self, id: &NodeId) -> Option<&V> {
        self.blocks.get(&(id.0 / BLOCK))?[place(*id)].as_ref()
    }

    /// The same, to change it.
    pub fn get_mut(&mut self, id: &NodeId) -> Option<&mut V> {
        self.blocks.get_mut(&(id.0 / BLOCK))?[place(*id)].as_mut()
    }

    /// Takes something in. Answers what was known before.
    pub fn insert(&mut self, id: NodeId, value: V) -> Option<V> {
        let block =
            self.blocks.entry(id.0 / BLOCK).or_insert_with(|| Box::new(std::array::from_fn(|_| None)));
        let before = block[place(id)].replace(value);
        self.length += usize::from(before.is_none());
        before
    }

    /// Forgets an id. Answers what was known of it.
    pub fn remove(&mut self, id: &NodeId) -> Option<V> {
        let block = self.blocks.get_mut(&(id.0 / BLOCK))?;
        let known = block[place(*id)].take()?;
        self.length -= 1;
        if block.iter().all(Option::is_none) {
            self.blocks.remove(&(id.0 / BLOCK));
        }
        Some(known)
    }

    /// Forgets all of them.
    pub fn clear(&mut self) {
        self.blocks.clear();
        self.length = 0;
    }

    /// All of them, in no order.
    pub fn iter(&self) -> impl Iterator<Item = (NodeId, &V)> {
        self.blocks.iter().flat_map(|(number, block)| {
            let first = number * BLOCK;
            (0..BLOCK)
                .zip(block.iter())
                .filter_map(move |(at, value)| Some((NodeId(first + at), value.as_ref()?)))
        })
    }
}

fn place(id: NodeId) -> usize {
    (id.0 % BLOCK) as usize
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_is_a_map_that_keeps_no_empty_block(program in prop::collection::vec((any::<bool>(), 0u32..200, any::<u8>()), 0..300)) {
            let (mut table, mut model) = (IdTable::default(), BTreeMap::new());
            for (add, id, value) in program {
                let id = NodeId(id);
                if add {
                    prop_assert_eq!(table.insert(id, value), model.insert(id, value));
                } else {
                    prop_assert_eq!(table.remove(&id), model.remove(&id));
                }
                prop_assert_eq!(table.get(&id), model.get(&id));
                prop_assert_eq!(table.get_mut(&id), model.get_mut(&id));
                prop_assert_eq!((table.len(), table.is_empty()), (model.len(), model.is_empty()));
                prop_assert!(table.blocks.values().all(|block| block.iter().any(Option::is_some)));
            }
            let mut all: Vec<_> = table.iter().map(|(id, value)| (id, *value)).collect();
            all.sort_unstable();
            prop_assert_eq!(all, model.into_iter().collect::<Vec<_>>());
            table.clear();
            prop_assert!(table.is_empty() && table.iter().next().is_none());
        }
    }
}

//! Pages as a customer's browser would send them, and views as an agent's browser reads them.

use std::collections::BTreeMap;

use tandem::protocol::wire::{Reader, Writer, inflate};

/// A page in a test: elements with what is in them.
#[derive(Debug, Clone)]
pub enum Piece {
    Element(&'static str, Vec<(&'static str, String)>, Vec<Piece>),
    Text(String),
    /// What the frame that it is in shows: address and content.
    Document(String, Vec<Piece>),
}

/// An element: `el("input", &[("type", "password")], &[])`.
pub fn el(name: &'static str, attributes: &[(&'static str, &str)], children: &[Piece]) -> Piece {
    let attributes = attributes.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    Piece::Element(name, attributes, children.to_vec())
}

pub fn text(data: &str) -> Piece {
    Piece::Text(data.to_owned())
}

/// A frame that shows a document of this address.
pub fn frame(attributes: &[(&'static str, &str)], url: &str, body: &[Piece]) -> Piece {
    let html = el("html", &[], &[el("body", &[], body)]);
    el("iframe", attributes, &[Piece::Document(url.to_owned(), vec![html])])
}

/// Writes page frames and knows which id each element got, by its `id` attribute.
#[derive(Debug, Default)]
pub struct PageWriter {
    pub epoch: u32,
    pub seq: u32,
    next: u32,
    pub ids: BTreeMap<String, u32>,
}

impl PageWriter {
    /// A snapshot of a page at `url` with this in its body.
    pub fn snapshot(&mut self, epoch: u32, url: &str, body: &[Piece]) -> Vec<u8> {
        self.snapshot_from(1, epoch, url, body)
    }

    /// The same of a document of this number.
    pub fn snapshot_from(&mut self, first: u32, epoch: u32, url: &str, body: &[Piece]) -> Vec<u8> {
        *self = PageWriter { epoch, seq: 0, next: first + 1, ids: BTreeMap::new() };
        let mut out = self.frame();
        out.byte(15);
        out.byte(0);
        out.byte(10);
        out.string(url);
        out.byte(9);
        [1000, 700, 100].into_iter().for_each(|n| out.uint(n));
        self.insert(
            &mut out,
            first,
            &el("html", &[], &[el("head", &[], &[]), el("body", &[("id", "body")], body)]),
        );
        out.finish()
    }

    /// An empty patch to write operations into.
    pub fn patch(&mut self) -> Writer {
        self.seq += 1;
        self.frame()
    }

    fn frame(&self) -> Writer {
        let mut out = Writer::new();
        out.uint(self.epoch);
        out.uint(self.seq);
        out
    }

    /// Writes the insertion of a piece at the end of a node.
    pub fn insert(&mut self, out: &mut Writer, parent: u32, piece: &Piece) {
        out.byte(1);
        out.uint(parent);
        out.uint(0);
        self.write(out, piece);
    }

    fn write(&mut self, out: &mut Writer, piece: &Piece) {
        let id = self.next;
        self.next += 1;
        match piece {
            Piece::Text(data) => {
                out.byte(2);
                out.text(data);
            }
            Piece::Document(url, children) => {
                out.byte(7);
                out.byte(0);
                out.string(url);
                children.iter().for_each(|child| self.write(out, child));
                out.byte(0);
            }
            Piece::Element(name, attributes, children) => {
                out.byte(1);
                out.string(name);
                out.uint(attributes.len() as u32);
                for (name, value) in attributes {
                    out.string(name);
                    out.string(value);
                    if *name == "id" {
                        self.ids.insert(value.clone(), id);
                    }
                }
                children.iter().for_each(|child| self.write(out, child));
                out.byte(0);
            }
        }
    }
}

/// What an agent's mirror holds, as far as tests look at it: every string by node.
#[derive(Debug, Default)]
pub struct Mirror {
    pub epoch: u32,
    pub begun: u32,
    pub checks: u32,
    pub location: String,
    nodes: BTreeMap<u32, Node>,
}

#[derive(Debug, Default)]
struct Node {
    parent: u32,
    name: String,
    text: String,
    value: Option<String>,
    marks: u8,
    attributes: BTreeMap<String, String>,
}

impl Mirror {
    /// All text of the view, in the order of ids.
    pub fn text(&self) -> String {
        self.nodes.values().map(|node| node.text.as_str()).collect::<Vec<_>>().join("|")
    }

    pub fn attribute(&self, id: u32, name: &str) -> Option<&str> {
        self.nodes.get(&id)?.attributes.get(name).map(String::as_str)
    }

    pub fn value(&self, id: u32) -> Option<&str> {
        self.nodes.get(&id)?.value.as_deref()
    }

    /// 1 masked, 2 hidden, 4 disabled, 8 placeholder.
    pub fn marks(&self, id: u32) -> Option<u8> {
        Some(self.nodes.get(&id)?.marks)
    }

    /// Takes a view frame in.
    pub fn apply(&mut self, bytes: &[u8]) {
        let bytes = inflate(bytes, 64 << 20).unwrap();
        let mut reader = Reader::new(&bytes).unwrap();
        self.epoch = reader.uint().unwrap();
        let _seq = reader.uint().unwrap();
        while !reader.at_end().unwrap() {
            self.operation(&mut reader);
        }
    }

    fn operation(&mut self, reader: &mut Reader<'_>) {
        match reader.byte().unwrap() {
            1 => {
                let parent = reader.uint().unwrap();
                let _next = reader.uint().unwrap();
                self.subtree(reader, parent);
            }
            2 => {
                let id = reader.uint().unwrap();
                let parent = reader.uint().unwrap();
                let _next = reader.uint().unwrap();
                self.nodes.get_mut(&id).expect("a moved node is known").parent = parent;
            }
            3 => {
                let id = reader.uint().unwrap();
                self.remove(id);
            }
            4 => {
                let (id, name, value) = (reader.uint().unwrap(), string(reader), string(reader));
                self.nodes.get_mut(&id).expect("known").attributes.insert(name, value);
            }
            5 => {
                let (id, name) = (reader.uint().unwrap(), string(reader));
                self.nodes.get_mut(&id).expect("known").attributes.remove(&name);
            }
            6 => {
                let (id, data) = (reader.uint().unwrap(), string(reader));
                self.nodes.get_mut(&id).expect("known").text = data;
            }
            7 => {
                let id = reader.uint().unwrap();
                let flags = reader.byte().unwrap();
                let value = (flags & 1 != 0).then(|| string(reader));
                if flags & 32 != 0 {
                    let count = reader.uint().unwrap();
                    skip(reader, count);
                }
                self.nodes.get_mut(&id).expect("known").value = value;
            }
            8 => {
                reader.uint().unwrap();
                reader.int().unwrap();
                reader.int().unwrap();
            }
            9 | 13 => skip(reader, 3),
            10 => self.location = string(reader),
            11 => skip(reader, 1),
            12 => {
                let count = reader.uint().unwrap();
                for _ in 0..count {
                    reader.uint().unwrap();
                    reader.byte().unwrap();
                }
            }
            30 => {
                skip(reader, 1);
                self.checks += 1;
            }
            15 => {
                reader.byte().unwrap();
                self.nodes.clear();
                self.begun += 1;
            }
            tag => panic!("an unknown operation {tag}"),
        }
    }

    fn subtree(&mut self, reader: &mut Reader<'_>, parent: u32) {
        let mut open = vec![parent];
        loop {
            let kind = reader.byte().unwrap();
            if kind == 0 {
                open.pop();
            } else {
                let id = reader.uint().unwrap();
                self.remove(id);
                let mut node = Node { parent: *open.last().unwrap(), ..Node::default() };
                match kind {
                    1 | 17 | 33 => {
                        node.marks = reader.byte().unwrap();
                        node.name = string(reader);
                        for _ in 0..reader.uint().unwrap() {
                            let name = string(reader);
                            node.attributes.insert(name, string(reader));
                        }
                        open.push(id);
                    }
                    2 => node.text = reader.text().unwrap().to_owned(),
                    3 => {}
                    4 => (0..3).for_each(|_| drop(string(reader))),
                    5 => open.push(id),
                    7 => {
                        reader.byte().unwrap();
                        open.push(id);
                    }
                    kind => panic!("an unknown node {kind}"),
                }
                self.nodes.insert(id, node);
            }
            if open.len() == 1 {
                return;
            }
        }
    }

    fn remove(&mut self, id: u32) {
        self.nodes.remove(&id);
        let children: Vec<u32> =
            self.nodes.iter().filter(|(_, node)| node.parent == id).map(|(id, _)| *id).collect();
        children.into_iter().for_each(|child| self.remove(child));
    }
}

fn skip(reader: &mut Reader<'_>, count: u32) {
    for _ in 0..count {
        reader.uint().unwrap();
    }
}

fn string(reader: &mut Reader<'_>) -> String {
    reader.string().unwrap().to_owned()
}

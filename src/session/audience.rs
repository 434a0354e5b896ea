//! Those who watch a session, by role: for each one masker, one ring of encoded views, however many connections.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{broadcast, watch};
use tokio::time::Instant;

use super::link::FeedItem;
use super::resources::Resources;
use super::ring::Ring;
use super::tabs::Tabs;
use crate::dom::{Changes, Tree};
use crate::policy::{EncodedView, Masked, Masker, Policies, ResourceNames, ViewPatch};
use crate::protocol::NodeId;
use crate::protocol::agent::{Role, Tab};
use crate::protocol::customer::{Echo, Echoing};

/// How long after a change mirrors are told what they should be by now. What does not change is not told again.
const CHECK: Duration = Duration::from_secs(1);

/// All who watch a session, by what they may see.
pub(super) struct Audiences {
    names: ResourceNames,
    all: BTreeMap<Role, Audience>,
}

impl Audiences {
    pub(super) fn new(names: ResourceNames) -> Audiences {
        Audiences { names, all: BTreeMap::new() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    pub(super) fn get(&self, role: Role) -> Option<&Audience> {
        self.all.get(&role)
    }

    /// The audience of a role; there is one from now on. It knows what was typed until now.
    pub(super) fn of(&mut self, role: Role, policies: &Arc<Policies>) -> &mut Audience {
        let known = self.echoing().known;
        self.all.entry(role).or_insert_with(|| {
            let mut masker = Masker::new(policies.clone(), role, self.names.clone());
            masker.typed(None, &known);
            Audience::new(masker)
        })
    }

    /// The same; what is to be shown when it is new and there is a page already.
    pub(super) fn join(
        &mut self,
        role: Role,
        policies: &Arc<Policies>,
        tree: Option<&Tree>,
    ) -> Option<Masked> {
        let new = !self.all.contains_key(&role);
        let audience = self.of(role, policies);
        tree.filter(|_| new).map(|tree| audience.begin(tree))
    }

    /// Shows agents what was masked. What it refers to is theirs to load before they hear of it: they ask at once.
    pub(super) fn show(&mut self, resources: &Resources, all: &mut [(Role, Masked)]) {
        for (_, masked) in &*all {
            resources.withdraw(&masked.withdrawn);
        }
        for (_, masked) in &mut *all {
            resources.refer(std::mem::take(&mut masked.resources));
        }
        for (role, masked) in all {
            if let Some(audience) = self.all.get_mut(role).filter(|_| !masked.patch.is_empty()) {
                audience.send(&masked.patch);
            }
        }
    }

    pub(super) fn begin(&mut self, tree: Option<&Tree>) -> Vec<(Role, Masked)> {
        self.each(tree, |audience, tree| audience.begin(tree))
    }

    pub(super) fn update(&mut self, tree: Option<&Tree>, changes: &Changes) -> Vec<(Role, Masked)> {
        self.each(tree, |audience, tree| audience.masker.update(tree, changes))
    }

    pub(super) fn adopt(&mut self, policies: Arc<Policies>, tree: Option<&Tree>) -> Vec<(Role, Masked)> {
        let adopt = |(role, audience): (&Role, &mut Audience)| {
            audience.adopt(policies.clone(), tree).map(|masked| (*role, masked))
        };
        self.all.iter_mut().filter_map(adopt).collect()
    }

    pub(super) fn typed(&mut self, tree: Option<&Tree>, echoes: &[Echo]) -> Vec<(Role, Masked)> {
        self.all.iter_mut().map(|(role, audience)| (*role, audience.masker.typed(tree, echoes))).collect()
    }

    /// What the customer's browser needs to find what was typed: whatever any of them found private.
    pub(super) fn echoing(&self) -> Echoing {
        let mut all = self.all.values().map(|audience| audience.masker.echoes());
        let mut echoing = all.next().unwrap_or_default();
        for more in all {
            echoing.known.extend(more.known);
            echoing.keep.extend(more.keep);
        }
        echoing.keep.sort_unstable();
        echoing.keep.dedup();
        echoing.known.sort_unstable_by_key(|echo| (echo.length, echo.one, echo.two));
        echoing.known.dedup();
        echoing
    }

    /// Whether nobody has a document hidden from them, so that what happens over it may be told.
    pub(super) fn uncover(&self, document: NodeId) -> bool {
        self.all.values().all(|audience| audience.masker.uncovers(document))
    }

    /// Reads the title of the tab that is shown. Answers whether somebody is to be told.
    pub(super) fn titles(&mut self, tree: Option<&Tree>, shown: u32) -> bool {
        let Some(tree) = tree else { return false };
        self.all.values_mut().fold(false, |new, audience| audience.title(tree, shown) | new)
    }

    pub(super) fn tell_tabs(&mut self, tabs: &Tabs) {
        self.all.values_mut().for_each(|audience| audience.tell_tabs(tabs));
    }

    /// Says something to those who watch now; nobody may be there.
    pub(super) fn tell(&self, item: FeedItem) {
        self.all.values().for_each(|audience| audience.tell(item.clone()));
    }

    /// When [`Audiences::check`] is due.
    pub(super) fn check_due(&self) -> Option<Instant> {
        self.all.values().filter_map(Audience::check_due).min()
    }

    /// Tells mirrors what they should be, where that is due.
    pub(super) fn check(&mut self, tree: Option<&Tree>, now: Instant) {
        for audience in self.all.values_mut() {
            if audience.check_due().is_some_and(|at| at <= now) {
                audience.check(tree);
            }
        }
    }

    fn each(
        &mut self,
        tree: Option<&Tree>,
        mut mask: impl FnMut(&mut Audience, &Tree) -> Masked,
    ) -> Vec<(Role, Masked)> {
        let Some(tree) = tree else { return Vec::new() };
        self.all.iter_mut().map(|(role, audience)| (*role, mask(audience, tree))).collect()
    }
}

/// Masks once and tells all.
pub(super) struct Audience {
    masker: Masker,
    ring: Ring,
    epoch: u32,
    /// Of the next patch.
    next: u32,
    /// When to tell it.
    check: Option<Instant>,
    /// Of the tabs that were looked at, as they were shown to this role.
    titles: BTreeMap<u32, Box<str>>,
    tabs: watch::Sender<Vec<Tab>>,
}

impl Audience {
    pub(super) fn new(masker: Masker) -> Audience {
        Audience {
            masker,
            ring: Ring::new(),
            epoch: 0,
            next: 0,
            check: None,
            titles: BTreeMap::new(),
            tabs: watch::Sender::default(),
        }
    }

    /// The tabs, as this role may know them.
    pub(super) fn tabs(&self) -> watch::Receiver<Vec<Tab>> {
        self.tabs.subscribe()
    }

    /// Reads the title of the tab that is shown. Answers whether it is another one than before.
    fn title(&mut self, tree: &Tree, shown: u32) -> bool {
        let title = self.masker.title(tree);
        if self.titles.get(&shown) == Some(&title) {
            return false;
        }
        self.titles.insert(shown, title);
        true
    }

    /// A tab that was never looked at has no title here: its page was never masked.
    fn tell_tabs(&mut self, tabs: &Tabs) {
        self.titles.retain(|number, _| tabs.iter().any(|tab| tab.number == *number));
        let tab = |tab: &super::tabs::Tab| Tab {
            id: tab.number,
            title: self.titles.get(&tab.number).map(|title| title.clone().into()),
            shown: tab.number == tabs.shown(),
            seen: tab.seen,
        };
        let now: Vec<Tab> = tabs.iter().map(tab).collect();
        self.tabs.send_if_modified(|told| {
            let new = *told != now;
            *told = now;
            new
        });
    }

    pub(super) fn masker(&self) -> &Masker {
        &self.masker
    }

    /// Whether the view is of this epoch.
    pub(super) fn is_at(&self, epoch: u32) -> bool {
        self.epoch == epoch
    }

    /// The view as it is now and the feed that continues it: one turn, nothing between them.
    pub(super) fn join(&self, tree: Option<&Tree>) -> (Option<EncodedView>, broadcast::Receiver<FeedItem>) {
        let view =
            tree.map(|tree| self.masker.snapshot(tree).encode(self.epoch, self.next.saturating_sub(1)));
        (view, self.ring.subscribe())
    }

    /// A new document.
    fn begin(&mut self, tree: &Tree) -> Masked {
        self.epoch += 1;
        self.next = 0;
        self.masker.view(tree)
    }

    /// Other policies are in force: a fresh view of the same document.
    fn adopt(&mut self, policies: Arc<Policies>, tree: Option<&Tree>) -> Option<Masked> {
        let Some(tree) = tree else {
            self.masker.expect_under(policies);
            return None;
        };
        self.epoch += 1;
        self.next = 0;
        Some(self.masker.adopt(policies, tree))
    }

    /// When [`Audience::check`] is due.
    pub(super) fn check_due(&self) -> Option<Instant> {
        self.check
    }

    /// Tells mirrors what they should be.
    pub(super) fn check(&mut self, tree: Option<&Tree>) {
        if let Some(tree) = tree {
            let check = self.masker.check(tree);
            self.send(&check);
        }
        self.check = None;
        self.ring.trim();
    }

    fn send(&mut self, patch: &ViewPatch) {
        self.check.get_or_insert_with(|| Instant::now() + CHECK);
        self.ring.show(patch.encode(self.epoch, self.next));
        self.next += 1;
    }

    /// Says something to those who watch now; nobody may be there.
    pub(super) fn tell(&self, item: FeedItem) {
        self.ring.tell(item);
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::task::{Context, Wake};

    use futures_util::FutureExt;
    use tokio::sync::mpsc;

    use super::super::resources::{Limits, Missing};
    use super::*;

    /// An agent who asks for a picture at the very moment that a view is told.
    struct Asking {
        resources: Arc<Resources>,
        token: String,
        known: AtomicBool,
    }

    impl Wake for Asking {
        fn wake(self: Arc<Self>) {
            let answer = self.resources.show(&self.token).now_or_never();
            self.known.store(answer != Some(Err(Missing::Unknown)), Ordering::Relaxed);
        }
    }

    #[tokio::test]
    async fn what_a_view_refers_to_may_be_loaded_when_it_is_told() {
        let names = ResourceNames::new([7; 32], "/r/");
        let (wants, _asked) = mpsc::channel(1);
        let resources = Resources::new(Limits::default(), names.clone(), wants);
        let tree =
            Tree::from_html("<img src=/a.png>", "https://shop.test/", crate::dom::Limits::default()).unwrap();
        let mut audiences = Audiences::new(names.clone());
        let mut feed = audiences.of(Role::Agent, &Arc::default()).ring.subscribe();
        let (token, _) = names.name("https://shop.test/a.png");
        let agent = Arc::new(Asking { resources: resources.clone(), token, known: AtomicBool::default() });
        let waker = agent.clone().into();
        let mut told = pin!(feed.recv());
        assert!(told.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());

        let mut masked = audiences.begin(Some(&tree));
        audiences.show(&resources, &mut masked);
        assert!(agent.known.load(Ordering::Relaxed));
    }

    #[tokio::test]
    async fn a_view_in_hand_stays_while_the_next_is_told() {
        let names = ResourceNames::new([7; 32], "/r/");
        let (wants, _asked) = mpsc::channel(1);
        let resources = Resources::new(Limits::default(), names.clone(), wants);
        let tree = Tree::from_html("<p>", "https://shop.test/", crate::dom::Limits::default()).unwrap();
        let mut audiences = Audiences::new(names);
        let mut feed = audiences.of(Role::Agent, &Arc::default()).ring.subscribe();
        let mut tell = || {
            let mut masked = audiences.begin(Some(&tree));
            audiences.show(&resources, &mut masked);
        };

        tell();
        let Ok(FeedItem::View(view)) = feed.recv().await else { panic!("no view") };
        tell();
        assert!(view.upgrade().is_some());
    }
}

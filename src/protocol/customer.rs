//! Text messages between the customer's browser and the server.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::typing::Place;
use super::{NodeId, Point, Refusal, SessionId, Status};

/// From the customer's browser.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "type", rename_all = "snake_case", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum FromCustomer {
    /// The pointer is here now.
    Pointer {
        /// In the viewport.
        at: Point,
    },
    /// The pointer left the page.
    PointerLeft,
    /// The customer clicked here.
    Clicked {
        /// In the viewport.
        at: Point,
    },
    /// The answer to the agent's request for Write mode; only ever sent on a trusted gesture.
    Answer {
        /// Whether the agent may type and click.
        allow: bool,
    },
    /// Back to Pointer mode.
    TakeBack,
    /// The customer looks at this tab.
    Looking {
        /// Where its page is.
        url: String,
    },
    /// This tab is not on the screen any more.
    LookedAway,
    /// Share nothing until further notice.
    Pause,
    /// Go on sharing.
    Resume,
    /// The customer ends the session.
    Exit,
    /// What became of an action.
    Acted {
        /// Its number.
        seq: u32,
        /// Why it was not done, if it was not.
        refused: Option<Refusal>,
        /// After an edit: where the agent's caret is now.
        #[serde(default)]
        at: Option<Place>,
    },
    /// Something that an action led to later was kept from happening.
    Stopped {
        /// Why.
        reason: Refusal,
    },
    /// Something was typed whose value is withheld: its hashes, under the key of [`Echoing`].
    Typed {
        /// At most [`ECHOES`].
        echoes: Vec<Echo>,
    },
    /// A frame shows a document of this address: what is typed there is to be withheld by which rules?
    /// Answered by [`ToCustomer::Withhold`]; until then nothing of the document is told.
    Frame {
        /// Absolute, of http or https, without fragment.
        url: String,
    },
    /// A frame shows a document of another host of the site, which has answered: it may join. Answered by
    /// [`ToCustomer::Ticket`].
    Invite {
        /// The epoch in which the frame was told; of no meaning from an inset.
        epoch: u32,
        /// The frame's element.
        frame: NodeId,
    },
    /// Where Back and Forward lead from here; told while an agent may act, and none where it is not known or not of
    /// the page's origin.
    Neighbours {
        /// Absolute.
        back: Option<String>,
        /// Absolute.
        forward: Option<String>,
    },
    /// The customer has pressed something: what happens now is not the agent's doing. Told while an agent may act.
    Gesture,
    /// A wanted resource can not be had.
    Unavailable {
        /// The number of the want.
        want: u32,
    },
    /// Nothing was heard for a while: say something.
    Alive,
}

/// To the customer's browser. Actions travel as [`Act`]; the session makes that one only of a permit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "type", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum ToCustomer {
    /// First message on a connection.
    Welcome {
        /// The ID to show.
        session_id: SessionId,
        /// Seconds for which the session waits for this browser when it is away.
        patience: u32,
    },
    /// How the session stands now.
    Status {
        /// All of it.
        status: Status,
    },
    /// Send the whole page under this epoch, and patches from then on.
    Share {
        /// For the header of the frames.
        epoch: u32,
        /// Parts of the page that the server has from before and that need not be sent again.
        held: Held,
    },
    /// Share nothing more of this tab: the customer looks at another one.
    Rest,
    /// For the document of another host in a frame: with it that can join the session, once and soon.
    Ticket {
        /// The frame's element.
        frame: NodeId,
        /// To be told to nobody else.
        ticket: String,
    },
    /// To such a document: send all of it, as of epoch 0, and patches from then on.
    ShareInset {
        /// The number of its document; further nodes are counted from there.
        first: NodeId,
    },
    /// Which typed values must not leave the browser on the current page: those of controls in elements that match.
    Withhold {
        /// Selectors, each valid by itself.
        select: Vec<String>,
        /// The same for documents in frames: these and those of all documents around them count.
        frames: Vec<WithheldInFrame>,
        /// To find withheld values where the page repeats them.
        echoing: Echoing,
    },
    /// What is hidden from the agent. Replaces what was said before about these nodes.
    Private {
        /// Newly masked or hidden, or with another label.
        marks: Vec<PrivateMark>,
        /// Not masked or hidden any more.
        cleared: Vec<NodeId>,
    },
    /// Whether the whole page is kept from the agent, as the policy says.
    PrivatePage {
        /// True: nothing of it is seen.
        on: bool,
    },
    /// The agent's pointer.
    Pointer {
        /// In the viewport.
        at: Point,
    },
    /// The agent's pointer left the page.
    PointerLeft,
    /// The agent clicked here.
    Clicked {
        /// In the viewport.
        at: Point,
    },
    /// Bring the bytes behind a URL that the page has loaded: `POST /.tandem/session/resource?want=…`.
    Want {
        /// A number for the answer.
        want: u32,
        /// Absolute.
        url: String,
    },
    /// The answer to the same.
    Alive,
}

/// Which typed values must not leave the browser in documents of one address.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct WithheldInFrame {
    /// As it was asked for.
    pub url: String,
    /// Selectors, each valid by itself.
    pub select: Vec<String>,
}

/// To the customer's browser: do this in the page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct Act<A = super::Action> {
    /// Always `act`.
    #[serde(rename = "type")]
    pub kind: ActTag,
    /// For the answer [`FromCustomer::Acted`].
    pub seq: u32,
    /// Whether a form may be submitted by it.
    pub submit: bool,
    /// Where Back or Forward must lead, or it is not done.
    pub to: Option<String>,
    /// What to do.
    pub action: A,
}

/// The tag of [`Act`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum ActTag {
    /// The only one.
    #[default]
    Act,
}

/// Subtrees that the server holds, as fingerprints: `dom::fingerprint` and `injector/src/held/fingerprint.ts` do the same.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Held {
    /// Of this request only, so that nobody can make content to fit.
    pub key: [u32; 4],
    /// Four words each, little endian, in base64.
    pub fingerprints: String,
}

/// An element of the page that an agent does not see.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct PrivateMark {
    /// Which.
    pub node: NodeId,
    /// How.
    pub kind: Privacy,
    /// The administrator's words for the tooltip, if there are any.
    pub label: Option<String>,
}

/// How something is kept from an agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Privacy {
    /// Shape kept, content gone.
    Masked,
    /// A grey box; the browser is asked to report its size.
    Hidden,
    /// Not private, but only its box can be shown (a frame, a plug-in): the browser reports its size.
    Measured,
    /// Not private, and shown as a picture (a `canvas`, a `video`): the browser reports its size, and brings what it
    /// shows. Nothing else is ever read.
    Pictured,
    /// Not private, within what is masked by default: from here on the agent sees, and may use, what there is.
    Shown,
}

/// Hashes in one message [`FromCustomer::Typed`].
pub const ECHOES: usize = 256;

/// What the customer's browser needs to find withheld values where the page repeats them, those typed on
/// earlier pages too: `policy::echo` and `injector/src/echoes/finder.ts` do the same.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Echoing {
    /// Of this session.
    pub key: EchoKey,
    /// What was typed until now.
    pub known: Vec<Echo>,
    /// Attributes by which rules choose elements: told as they are, or the rules would not hold.
    pub keep: Vec<String>,
}

/// The bases of the two polynomial hashes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct EchoKey {
    /// Modulo 67108859.
    pub one: u32,
    /// Modulo 67108837.
    pub two: u32,
}

/// A withheld value, or a piece of it, as a hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Echo {
    /// Characters that count.
    pub length: u32,
    /// The first hash.
    pub one: u32,
    /// The second hash.
    pub two: u32,
    /// Of a password: a field that holds it is a password field, whatever it says.
    #[serde(default)]
    pub password: bool,
}

/// The body of `POST /.tandem/session`, if it has one: what the site's script passed to `Tandem.start`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Start {
    /// The chat or call that the session belongs to.
    pub interaction_id: Option<String>,
    /// What else the contact centre's systems want to find again.
    pub metadata: BTreeMap<String, String>,
}

/// The answer to `POST /.tandem/session`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Started {
    /// The ID to show and read out.
    pub session_id: SessionId,
}

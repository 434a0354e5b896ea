//! One function for each thing that a system can ask: the key first, then what it asks, then the answer.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Json;
use axum::extract::rejection::{JsonRejection, PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use http::StatusCode;

use super::Api;
use super::keys::{Caller, Right};
use super::problem::{Problem, ProblemDetails};
use super::words::{
    Change, Ended, Entry, History, Invitation, Link, Object, Session, SessionList, Which, time,
};
use crate::protocol::agent::{Me, Role};
use crate::protocol::session::Presence;
use crate::protocol::{EndReason, Mode, Phase, SessionId};
use crate::session::{About, Handle, Lookup, Past};

type Asked<T> = Result<Path<T>, PathRejection>;

/// Sessions that one answer lists, when nothing else is said, and at most.
const LISTED: (usize, usize) = (100, 1_000);
/// How long a link is good, in seconds, when nothing else is said, and at most.
const LINK: (u64, u64) = (300, 3_600);
/// Characters of a display name.
const NAME: usize = 64;

/// Lists the sessions that live.
#[utoipa::path(
    get, path = "/sessions", tag = "sessions", params(Which),
    responses(
        (status = 200, body = SessionList),
        (status = "4XX", body = ProblemDetails, content_type = "application/problem+json"),
    )
)]
pub(super) async fn list(
    State(api): State<Arc<Api>>,
    caller: Caller,
    which: Result<Query<Which>, QueryRejection>,
) -> Result<Json<SessionList>, Problem> {
    caller.needs(Right::Read)?;
    let Query(which) = which?;
    let limit = which.limit.unwrap_or(LISTED.0);
    if !(1..=LISTED.1).contains(&limit) {
        return Err(Problem::Wrong("`limit` is from 1 to 1000"));
    }
    let mut handles = api.sessions.all();
    handles.sort_unstable_by_key(|handle| handle.id().to_string());
    let mut found = handles.into_iter().filter(|handle| {
        let later = which.after.as_ref().is_none_or(|after| handle.id().to_string() > *after);
        let of_interaction = which
            .interaction_id
            .as_ref()
            .is_none_or(|interaction| handle.about().interaction.as_ref() == Some(interaction));
        later && of_interaction && which.phase.is_none_or(|phase| handle.status().phase == phase)
    });
    let sessions: Vec<Session> = found.by_ref().take(limit).map(|handle| live(&handle)).collect();
    let more = found.next().is_some();
    let next = sessions.last().filter(|_| more).map(|last| last.session_id.to_string());
    Ok(Json(SessionList { sessions, next }))
}

/// Reads a session, also one that has ended, for as long as its history is kept.
#[utoipa::path(
    get, path = "/sessions/{id}", tag = "sessions",
    params(("id" = String, Path, description = "The session ID, with or without separators.")),
    responses(
        (status = 200, body = Session),
        (status = "4XX", body = ProblemDetails, content_type = "application/problem+json"),
    )
)]
pub(super) async fn read(
    State(api): State<Arc<Api>>,
    caller: Caller,
    id: Asked<String>,
) -> Result<Json<Session>, Problem> {
    caller.needs(Right::Read)?;
    let id = session_id(id)?;
    api.session(&id).await.map(Json)
}

/// Says which interaction a session belongs to, and what is attached to it.
#[utoipa::path(
    patch, path = "/sessions/{id}", tag = "sessions",
    params(("id" = String, Path, description = "The session ID, with or without separators.")),
    request_body = Change,
    responses(
        (status = 200, body = Session),
        (status = "4XX", body = ProblemDetails, content_type = "application/problem+json"),
    )
)]
pub(super) async fn change(
    State(api): State<Arc<Api>>,
    caller: Caller,
    id: Asked<String>,
    change: Result<Json<Object<Change>>, JsonRejection>,
) -> Result<Json<Session>, Problem> {
    caller.needs(Right::Attach)?;
    let (id, Json(Object(change))) = (session_id(id)?, change?);
    let handle = api.living(&id).await?;
    let before = handle.about();
    let about = About {
        interaction: change.interaction_id.or_else(|| before.interaction.clone()),
        metadata: change.metadata.unwrap_or_else(|| before.metadata.clone()),
    };
    handle.attach(about).await?;
    Ok(Json(live(&handle)))
}

/// What happened in a session: who came and went, on which pages, in which mode, how it ended. No content.
#[utoipa::path(
    get, path = "/sessions/{id}/history", tag = "sessions",
    params(("id" = String, Path, description = "The session ID, with or without separators.")),
    responses(
        (status = 200, body = History),
        (status = "4XX", body = ProblemDetails, content_type = "application/problem+json"),
    )
)]
pub(super) async fn history(
    State(api): State<Arc<Api>>,
    caller: Caller,
    id: Asked<String>,
) -> Result<Json<History>, Problem> {
    caller.needs(Right::Read)?;
    let id = session_id(id)?;
    if matches!(api.sessions.find(&id).await?, Lookup::Never) {
        return Err(Problem::NoSuchSession);
    }
    let entries = api.sessions.history(&id).await?;
    let entries = entries.into_iter().map(|entry| Entry { at: time(entry.at), what: entry.happening });
    Ok(Json(History { entries: entries.collect() }))
}

/// Ends a session, with the reason `administrator`. One that has ended stays as it is.
#[utoipa::path(
    post, path = "/sessions/{id}/end", tag = "sessions",
    params(("id" = String, Path, description = "The session ID, with or without separators.")),
    responses(
        (status = 200, body = Session),
        (status = "4XX", body = ProblemDetails, content_type = "application/problem+json"),
    )
)]
pub(super) async fn end(
    State(api): State<Arc<Api>>,
    caller: Caller,
    id: Asked<String>,
) -> Result<Json<Session>, Problem> {
    caller.needs(Right::End)?;
    let id = session_id(id)?;
    if let Lookup::Live(handle) = api.sessions.find(&id).await? {
        tracing::info!(key = caller.name(), "a session is ended through the API");
        handle.end(EndReason::Administrator).await;
    }
    api.session(&id).await.map(Json)
}

/// Makes a link that lets an agent into the session, once, without a login.
#[utoipa::path(
    post, path = "/sessions/{id}/join-links", tag = "sessions",
    params(("id" = String, Path, description = "The session ID, with or without separators.")),
    request_body = Invitation,
    responses(
        (status = 201, body = Link),
        (status = "4XX", body = ProblemDetails, content_type = "application/problem+json"),
    )
)]
pub(super) async fn invite(
    State(api): State<Arc<Api>>,
    caller: Caller,
    id: Asked<String>,
    invitation: Result<Json<Object<Invitation>>, JsonRejection>,
) -> Result<(StatusCode, Json<Link>), Problem> {
    caller.needs(Right::Invite)?;
    let (id, Json(Object(invitation))) = (session_id(id)?, invitation?);
    let life = invitation.expires_in.unwrap_or(LINK.0);
    if !(1..=LINK.1).contains(&life) {
        return Err(Problem::Wrong("`expiresIn` is from 1 to 3600 seconds"));
    }
    let name = invitation.name.trim().to_owned();
    if name.is_empty() || name.chars().count() > NAME || name.chars().any(char::is_control) {
        return Err(Problem::Wrong("`name` has 1 to 64 characters that can be shown"));
    }
    let role = invitation.role.map_or(Role::Agent, Role::from);
    api.living(&id).await?;
    let life = Duration::from_secs(life);
    let secret = api.links.make(Me { name, role }, id.clone(), life).ok_or(Problem::Unavailable)?;
    let mut url = api.console.clone();
    url.set_path(&format!("/session/{id}"));
    url.set_fragment(Some(&format!("token={secret}")));
    tracing::info!(key = caller.name(), "a link into a session was made through the API");
    let expires = SystemTime::now() + life;
    let expires = expires.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    let link = Link { url: url.into(), expires_at: time(u64::try_from(expires).unwrap_or(u64::MAX)) };
    Ok((StatusCode::CREATED, Json(link)))
}

/// Ends an interaction: all sessions that belong to it end with the reason `interaction_ended`.
#[utoipa::path(
    post, path = "/interactions/{id}/end", tag = "interactions",
    params(("id" = String, Path, description = "The chat or call, as it was attached.")),
    responses(
        (status = 200, body = Ended),
        (status = "4XX", body = ProblemDetails, content_type = "application/problem+json"),
    )
)]
pub(super) async fn end_interaction(
    State(api): State<Arc<Api>>,
    caller: Caller,
    id: Asked<String>,
) -> Result<Json<Ended>, Problem> {
    caller.needs(Right::End)?;
    let Path(interaction) = id?;
    let mut session_ids = Vec::new();
    for handle in api.sessions.all() {
        if handle.about().interaction.as_ref() == Some(&interaction) {
            handle.end(EndReason::InteractionEnded).await;
            session_ids.push(handle.id().clone());
        }
    }
    tracing::info!(
        key = caller.name(),
        sessions = session_ids.len(),
        "an interaction is ended through the API"
    );
    Ok(Json(Ended { session_ids }))
}

impl Api {
    /// A session that lives.
    async fn living(&self, id: &SessionId) -> Result<Handle, Problem> {
        match self.sessions.find(id).await? {
            Lookup::Live(handle) if handle.status().phase != Phase::Ended => Ok(handle),
            Lookup::Live(_) | Lookup::Ended(_) => Err(Problem::SessionEnded),
            Lookup::Never => Err(Problem::NoSuchSession),
        }
    }

    /// A session, living or ended.
    async fn session(&self, id: &SessionId) -> Result<Session, Problem> {
        if let Lookup::Live(handle) = self.sessions.find(id).await? {
            return Ok(live(&handle));
        }
        let past = self.sessions.past(id).await?.ok_or(Problem::NoSuchSession)?;
        Ok(ended(id, past))
    }
}

fn live(handle: &Handle) -> Session {
    let (status, about) = (handle.status(), handle.about());
    Session {
        session_id: handle.id().clone(),
        site_name: Some(handle.site_name().to_owned()),
        phase: status.phase,
        mode: status.mode,
        paused: status.paused,
        customer: status.customer,
        agent: status.agent,
        agent_name: status.agent_name,
        watchers: status.watchers,
        interaction_id: about.interaction.clone(),
        metadata: about.metadata.clone(),
        started_at: time(handle.started()),
        ended_at: None,
        end_reason: status.ended,
    }
}

fn ended(id: &SessionId, past: Past) -> Session {
    Session {
        session_id: id.clone(),
        site_name: None,
        phase: Phase::Ended,
        mode: Mode::Pointer,
        paused: false,
        customer: Presence::Away,
        agent: Presence::Away,
        agent_name: None,
        watchers: Vec::new(),
        interaction_id: past.about.interaction,
        metadata: past.about.metadata,
        started_at: time(past.started),
        ended_at: Some(time(past.ended)),
        end_reason: Some(past.reason),
    }
}

fn session_id(asked: Asked<String>) -> Result<SessionId, Problem> {
    let Path(id) = asked?;
    id.parse().map_err(|_| Problem::NoSuchSession)
}

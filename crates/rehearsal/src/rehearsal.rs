//! What all people of a rehearsal share.

use crate::client::Client;
use crate::identity::Identity;
use crate::options::Options;
use crate::recorder::Recorder;
use crate::referee::Referee;
use crate::stage::Stage;

/// What all people of a rehearsal share.
pub(crate) struct Rehearsal {
    pub(crate) options: Options,
    pub(crate) stage: Stage,
    pub(crate) client: Client,
    pub(crate) identity: Option<Identity>,
    pub(crate) recorder: Recorder,
    pub(crate) referee: Referee,
}

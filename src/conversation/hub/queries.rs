//! What can be asked of the hub: numbers, a conversation's state, the members of a selection.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use super::Hub;
use crate::conversation::conversation::Conversation;
use crate::conversation::id::ConversationKey;
use crate::conversation::member::Outlet;
use crate::conversation::selection::Selection;
use crate::conversation::view::ConversationView;

impl Hub {
    /// How many conversations are held.
    pub fn conversations(&self) -> usize {
        self.conversations.read().len()
    }

    /// How many members there are. Looks at every conversation.
    pub fn members(&self) -> usize {
        let map = self.conversations.read();
        let all: Vec<_> = map.values().cloned().collect();
        drop(map);
        all.iter().map(|one| one.lock().members.len()).sum()
    }

    /// How many members are not live: they join, or their sockets had no room.
    pub fn catching_up(&self) -> usize {
        self.catching_up.load(Ordering::Acquire)
    }

    /// What all windows hold, in bytes.
    pub fn bytes(&self) -> usize {
        self.shared.bytes.load(Ordering::Relaxed)
    }

    /// What is known of repeats, in bytes. Looks at every conversation.
    pub fn repeats_bytes(&self) -> usize {
        let map = self.conversations.read();
        let all: Vec<_> = map.values().cloned().collect();
        drop(map);
        let bytes = all.iter().map(|one| one.lock().window.repeats_bytes());
        bytes.sum()
    }

    /// The conversation as it stands; an empty one if nobody follows it and nothing is kept.
    pub fn view(&self, key: &ConversationKey) -> ConversationView {
        self.find(key)
            .map_or_else(ConversationView::default, |conversation| {
                // What has expired is no longer there, swept or not.
                let now = Instant::now();
                conversation.lock().trim(now, &self.shared);
                conversation.view()
            })
    }

    /// The members of the selection. Looks at every conversation, unless it names one.
    pub fn select(&self, selection: &Selection) -> Vec<Arc<dyn Outlet>> {
        let map = self.conversations.read();
        let of = |(key, conversation): (&ConversationKey, &Arc<Conversation>)| {
            selection.includes(key).then(|| conversation.clone())
        };
        let chosen: Vec<_> = match &selection.conversation {
            Some(conversation) => {
                let key = ConversationKey {
                    tenant: selection.tenant.clone(),
                    conversation: conversation.clone(),
                };
                map.get_key_value(&key).and_then(of).into_iter().collect()
            }
            None => map.iter().filter_map(of).collect(),
        };
        drop(map);
        let members = chosen.iter().flat_map(|one| {
            let state = one.lock();
            let outlets = state.members.iter().map(|member| member.outlet.clone());
            let of_agent =
                |outlet: &Arc<dyn Outlet>| selection.holds(one.key(), &outlet.participant().agent);
            outlets.filter(of_agent).collect::<Vec<_>>()
        });
        members.collect()
    }
}

//! The door: who may come in, where requests go, what monitoring tools say, what happens live.

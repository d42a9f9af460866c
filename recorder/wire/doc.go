// Package wire has the codecs of what peers say to each other: handshakes (BEP 3), messages, the fast extension (BEP 6),
// the extension protocol (BEP 10), metadata messages (BEP 9) and lt_donthave (BEP 54). It opens no socket and has no state.
//
// # Promises
//
// Nothing panics, whatever a peer sends. A decoder allocates at most a few times what it was given. What is returned
// aliases the given bytes only where that is said. Errors have their events.Reason (package netfail).
package wire

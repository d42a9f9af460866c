package events

// Reason is why something failed or ended: a closed enumeration. The text of an error is kept only beside ReasonOther.
type Reason uint8

// The reasons. A number is never used again.
const (
	ReasonOther               Reason = 1  // none of those below: see the text beside it
	ReasonTimeout             Reason = 2  // no answer in time
	ReasonRefused             Reason = 3  // connection refused
	ReasonReset               Reason = 4  // connection reset
	ReasonHostUnreachable     Reason = 5  // no route to the host
	ReasonNetworkUnreachable  Reason = 6  // no route to the network
	ReasonNotPermitted        Reason = 7  // forbidden by the local system or firewall
	ReasonNoLocalAddress      Reason = 8  // no local address or port was free
	ReasonDescriptorLimit     Reason = 9  // too many open files
	ReasonCanceled            Reason = 10 // given up, because the recording is stopping
	ReasonNameNotFound        Reason = 11 // the host name does not exist
	ReasonNameLookupFailed    Reason = 12 // the host name could not be looked up
	ReasonTLS                 Reason = 13 // bad certificate or TLS handshake
	ReasonRedirect            Reason = 14 // a redirect that is not followed: too many, or to a forbidden place
	ReasonClosedByPeer        Reason = 15 // the other side closed the connection in order
	ReasonTruncated           Reason = 16 // ended in the middle of a message or answer
	ReasonMalformed           Reason = 17 // cannot be parsed
	ReasonUnknownProtocol     Reason = 18 // not a BitTorrent handshake
	ReasonInfoHashMismatch    Reason = 19 // answered for another torrent than the one asked for
	ReasonUnknownInfoHash     Reason = 20 // an incoming handshake for a torrent that is not observed
	ReasonOwnPeerID           Reason = 21 // connected to ourselves
	ReasonDuplicate           Reason = 22 // there is a session with this peer already
	ReasonLimitExceeded       Reason = 23 // a bound was reached: see LimitReached
	ReasonHTTPStatus          Reason = 24 // an HTTP status other than 200
	ReasonTrackerFailure      Reason = 25 // the tracker answered with a failure reason
	ReasonScrapeMissing       Reason = 26 // the scrape does not name the info hash
	ReasonScrapeUnsupported   Reason = 27 // the tracker's URL has no scrape (BEP 48)
	ReasonUnsupportedScheme   Reason = 28 // a tracker URL of a scheme that is not known
	ReasonExcluded            Reason = 29 // an address of an excluded network
	ReasonPortZero            Reason = 30
	ReasonUnspecified         Reason = 31 // the unspecified address
	ReasonMulticast           Reason = 32 // a multicast or broadcast address
	ReasonForeignScope        Reason = 33 // an address of a scope that its source may not name
	ReasonOwnAddress          Reason = 34 // an address and port of ours
	ReasonComplete            Reason = 35 // the peer reached the threshold
	ReasonQuiet               Reason = 36 // nothing came for the timeout (visit)
	ReasonReopened            Reason = 37 // left, to be asked again for its bitfield
	ReasonSlotNeeded          Reason = 38 // gave way to a peer that is further
	ReasonStopping            Reason = 39 // the recording is stopping
	ReasonRunEnded            Reason = 40 // the recorder ended without closing the session; given by replay
	ReasonEncryptionRequired  Reason = 41 // the other side, or we, insist on encryption
	ReasonHashMismatch        Reason = 42 // metadata whose hash is not the info hash
	ReasonSizeMismatch        Reason = 43 // metadata of another size than announced
	ReasonTooLarge            Reason = 44 // larger than its bound
	ReasonRejected            Reason = 45 // the peer refused the request
	ReasonWriteFailed         Reason = 46 // the log could not be written
	ReasonDiskFull            Reason = 47 // less free space than --min-free
	ReasonDurationOver        Reason = 48 // --duration has passed
	ReasonInterrupted         Reason = 49 // the user interrupted the recording
	ReasonWrongTransaction    Reason = 50 // an answer to another transaction
	ReasonWrongSender         Reason = 51 // an answer from another address than the one asked
	ReasonTerminated          Reason = 52 // SIGTERM
	ReasonMetadataMissing     Reason = 53 // no peer gave the metadata
	ReasonAnswered            Reason = 54 // it worked; for tries whose success is a fact, such as a holepunch
	ReasonUnknownPeer         Reason = 55 // the relay does not know the peer (BEP 55)
	ReasonUnsupportedEncoding Reason = 56 // a content encoding that was not asked for
)

var reasonNames = names{1: "other", 2: "timeout", 3: "refused", 4: "reset", 5: "host unreachable", 6: "network unreachable", 7: "not permitted",
	8: "no local address", 9: "descriptor limit", 10: "canceled", 11: "name not found", 12: "name lookup failed", 13: "tls", 14: "redirect",
	15: "closed by peer", 16: "truncated", 17: "malformed", 18: "unknown protocol", 19: "info hash mismatch", 20: "unknown info hash",
	21: "own peer id", 22: "duplicate", 23: "limit exceeded", 24: "http status", 25: "tracker failure", 26: "scrape missing",
	27: "scrape unsupported", 28: "unsupported scheme", 29: "excluded", 30: "port zero", 31: "unspecified address", 32: "multicast",
	33: "foreign scope", 34: "own address", 35: "complete", 36: "quiet", 37: "reopened", 38: "slot needed", 39: "stopping", 40: "run ended",
	41: "encryption required", 42: "hash mismatch", 43: "size mismatch", 44: "too large", 45: "rejected", 46: "write failed", 47: "disk full",
	48: "duration over", 49: "interrupted", 50: "wrong transaction", 51: "wrong sender", 52: "terminated", 53: "metadata missing", 54: "answered",
	55: "unknown peer", 56: "unsupported encoding"}

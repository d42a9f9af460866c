// Package eventstest helps tests that deal in events: a text form of records, and a log in memory.
//
// # The text form
//
// A record is a line: the time in seconds since Start, the kind, then field=value in any order, with zero values left out.
//
//	# a leecher finishes
//	0 RunStarted run=01 setting.threshold=0.98
//	0 TorrentAdded torrent=1 info-hash=aa metadata-known=true metadata.piece-count=8
//	1.5 SessionOpened session=1 torrent=1 direction=outgoing address=127.0.0.1:6881 peer-id=-TR3000-aaaaaaaaaaaa
//	2 BitfieldReceived session=1 bitfield=11110000
//	3 HaveReceived session=1 piece=4
//
// Lines that start with # and empty lines are passed over. Field names are those of the Go fields in kebab-case; a field of
// a nested struct has a dotted name. The values:
//
//   - a text is quoted, as Go quotes, when it is empty or has a space, quote, bracket or other odd character
//   - a name of an enumeration may have hyphens for its spaces: reason=closed-by-peer
//   - a duration is written as Go writes it: 1.5s
//   - an Optional is its number; left out, it is unknown
//   - an address is ip:port or [ip]:port; a scope that does not follow from the address stands behind a slash: 1.2.3.4:5/private
//   - ids, hashes and other byte strings are hexadecimal; those of a fixed length may be shorter and end in zeros then
//   - a peer id may also be its 20 characters
//   - a byte string may also be a quoted text
//   - a bitfield is its bits, filled up with zeros to whole bytes; or 0x and hexadecimal digits
//   - the difference of a BitfieldChanged is the list of bits: toggled=[0 5]
//   - a list stands in brackets, its elements apart by spaces: peers=[1.2.3.4:5 [::1]:6], trackers=[[a b] [c]],
//     extensions=[ut_metadata=3 ut_pex=1]
//   - each setting of RunStarted is a field of its own: setting.threshold=0.98
//
// A line "start 2026-02-03T04:05:06Z" sets the time that the lines below count from. Sequence numbers are counted from 1
// in each run; a RunStarted begins a run.
package eventstest

// Package mse is message stream encryption (MSE, also called protocol encryption): the handshake below that of BitTorrent, with which many
// clients obfuscate their connections, and without which some speak to nobody.
//
// # Promises
//
//   - A handshake takes at most 8 KiB from the other side, and fails at the deadline of the connection, which its owner sets. Nothing of it is
//     left behind then: no goroutine, no lock.
//   - The costly part of taking in a handshake, two exponentiations, begins when the whole key of the other side has come, so that silence costs
//     nothing; and no more of them run at one time than half of the processors, so that a flood of keys leaves the others alone.
//   - Errors have their reason (package netfail): that of the connection, or events.ReasonUnknownProtocol for bytes that are no handshake,
//     events.ReasonUnknownInfoHash for one that is meant for a torrent that is not ours, events.ReasonTooLarge beyond the bound.
//   - A Conn whose write failed takes no more writes: its cipher cannot be used again.
//
// This is obfuscation and no secrecy: whoever knows the info hash can read along.
//
// # The handshake
//
// Here || joins, HASH is SHA-1, S is the secret as a number of 96 bytes, K the info hash, and E encrypts by RC4 with the key
// HASH("keyA" || S || K) for what the initiator sends, HASH("keyB" || S || K) for what the receiver sends; the first 1024 bytes of either
// key stream are thrown away. Numbers are big-endian.
//
//	initiator: public key (96 bytes), padding of up to 512 bytes
//	receiver:  public key (96 bytes), padding of up to 512 bytes
//	initiator: HASH("req1" || S), HASH("req2" || K) xor HASH("req3" || S),
//	           E(8 zeros, the methods it offers (4), length of padding (2), padding, length of what it sends along (2), what it sends along)
//	receiver:  E(8 zeros, the method it chose (4), length of padding (2), padding)
//
// Then both go on by the method: 1 is plain text, 2 is E, where it was.
//
// # Why not a library
//
// One exchange in 256 has a secret that begins with a zero byte, and some clients lose it. rtorrent 0.9.8 does: of two that connected to a
// recorder with such secrets alone, neither was ever met, and neither tried again. The receiver can help it, since it knows the other's key when
// it makes its own: it takes another one where the secret would be short. The library that the tests hold this against, mse of
// github.com/anacrolix/torrent, does not let it choose. The initiator cannot help it; its next try is with another key.
package mse

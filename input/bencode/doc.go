// Package bencode is the only door between bencoded bytes (BEP 3) and the library that decodes them, github.com/zeebo/bencode.
//
// The library trusts what it reads: a string prefix such as "2147483647:" makes it allocate 2 GiB before it looks for the string,
// and a few megabytes of "l" overflow the stack, which no recover catches. So everything is scanned here first, by code that
// allocates next to nothing: strings lie within the input, lists and dictionaries nest at most MaxDepth deep, integers fit 64 bits.
//
// What is accepted:
//   - Dictionary keys in any order, because real peers and trackers send them unsorted. A key that comes twice is refused: readers
//     would disagree about which value counts.
//   - Integers from -2^63 to 2^63-1, without leading zeros and without "-0" (BEP 3).
//   - String lengths without leading zeros or sign.
//   - Exactly one value; only Prefix allows bytes after it.
//
// How long the input may be is the caller's to bound, before it reads: a tracker answer, a message and a file have different sizes.
// The memory that a decode takes is a small multiple of the input; Unmarshal bounds the number of values besides, see MaxValues.
package bencode

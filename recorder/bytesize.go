package recorder

import (
	"errors"
	"math"
	"strconv"
	"strings"
)

// ByteSize is a number of bytes. Its text has a suffix for powers of 1024: K, M, G or T.
type ByteSize uint64

const suffixes = "KMGT"

var errByteSize = errors.New("want a number of bytes, such as 500M or 2G")

// ParseByteSize reads a whole number with a suffix or without, such as 1G, 512m or 4096. iB and B may follow the suffix.
func ParseByteSize(text string) (ByteSize, error) {
	digits := strings.TrimRight(text, "BKMGTbikmgt")
	suffix := strings.ToUpper(text[len(digits):])
	n, err := strconv.ParseUint(digits, 10, 64)
	if err != nil {
		return 0, errByteSize
	}
	power := 0
	if suffix != "" && suffix != "B" {
		power = 1 + strings.Index(suffixes, suffix[:1])
		if rest := suffix[1:]; power == 0 || rest != "" && rest != "B" && rest != "IB" {
			return 0, errByteSize
		}
	}
	if n > math.MaxUint64>>(10*power) {
		return 0, errByteSize
	}
	return ByteSize(n << (10 * power)), nil
}

// String gives the size with the largest suffix that leaves a whole number.
func (b ByteSize) String() string {
	n, suffix := uint64(b), ""
	for i := 0; i < len(suffixes) && n > 0 && n%1024 == 0; i++ {
		n, suffix = n/1024, suffixes[i:i+1]
	}
	return strconv.FormatUint(n, 10) + suffix
}

// Rounded gives the size for people, with three digits at most, such as 1.5G or 312K.
func (b ByteSize) Rounded() string {
	n, suffix := float64(b), ""
	for i := 0; i < len(suffixes) && n >= 999.5; i++ {
		n, suffix = n/1024, suffixes[i:i+1]
	}
	if n < 9.95 && suffix != "" {
		return strconv.FormatFloat(n, 'f', 1, 64) + suffix
	}
	return strconv.FormatFloat(n, 'f', 0, 64) + suffix
}

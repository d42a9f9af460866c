package events

import "fmt"

// upcaster turns a payload of one version of a kind into one of the next.
type upcaster func(payload []byte) ([]byte, error)

// upcasters has one for each version of a kind that was ever released and is no longer the newest.
var upcasters = map[Kind]map[Version]upcaster{}

// upcast brings a payload to the version that this program knows.
func upcast(kind Kind, version Version, payload []byte) ([]byte, error) {
	for ; version < kind.Version(); version++ {
		step := upcasters[kind][version]
		if step == nil {
			return nil, fmt.Errorf("%w: %v has no version %d", ErrPayload, kind, version)
		}
		var err error
		if payload, err = step(payload); err != nil {
			return nil, fmt.Errorf("%w: %v version %d: %w", ErrPayload, kind, version, err)
		}
	}
	return payload, nil
}

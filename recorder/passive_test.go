package recorder

import (
	"testing"

	"btda/events"
)

func TestSessionsFitToTheDescriptorLimit(t *testing.T) {
	active, both := limits{outgoing: 1024}, limits{outgoing: 1024, incoming: 3072, greetings: 512}
	for _, c := range []struct {
		set         limits
		descriptors events.Optional
		want        limits
	}{
		{active, events.Optional{}, active},
		{active, events.Some(1 << 20), active},
		{active, events.Some(1024 + spareDescriptors), active},
		{active, events.Some(1024), limits{outgoing: 1024 - spareDescriptors}},
		{active, events.Some(10), limits{outgoing: 5}},
		{active, events.Some(1), limits{outgoing: 1}},
		{both, events.Some(4096 + 512 + spareDescriptors), both},
		{both, events.Some(4096), limits{outgoing: 864, incoming: 2592, greetings: 512}},
		{both, events.Some(1024), limits{outgoing: 192, incoming: 576, greetings: 128}},
	} {
		if got, lowered := c.set.fit(c.descriptors); got != c.want || lowered != (got != c.set) {
			t.Errorf("%+v with a limit of %v: %+v (%v), want %+v", c.set, c.descriptors, got, lowered, c.want)
		}
	}
}

package recorder

import (
	"math"
	"testing"
)

func TestLoad15(t *testing.T) {
	for text, want := range map[string]float64{"0.20 0.18 0.12 1/80 11206\n": 0.12, "": math.NaN(), "1 2 x": math.NaN()} {
		if got := load15(text); got != want && !(math.IsNaN(got) && math.IsNaN(want)) {
			t.Errorf("load in %q is %v, want %v", text, got, want)
		}
	}
}

func TestResourcesAreKnown(t *testing.T) {
	if r := readResources(); r.peakMemory < 1<<20 || !r.openDescriptors.Known || r.openDescriptors.Value < 3 || !r.descriptorLimit.Known {
		t.Errorf("resources %+v, want memory and descriptors of a living process", r)
	}
}

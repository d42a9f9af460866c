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

func TestPeakMemory(t *testing.T) {
	for text, want := range map[string]uint64{"VmSize:\t 9 kB\nVmHWM:\t    1234 kB\nVmRSS:\t 5 kB\n": 1234 << 10, "": 0, "\nVmHWM:": 0, "\nVmHWM: x kB": 0, "\nVmHWM: 12": 0} {
		if got := peakMemory(text); got != want {
			t.Errorf("peak memory in %q is %d, want %d", text, got, want)
		}
	}
}

func TestResourcesAreKnown(t *testing.T) {
	if r := readResources(); r.peakMemory < 1<<20 || !r.openDescriptors.Known || r.openDescriptors.Value < 3 || !r.descriptorLimit.Known {
		t.Errorf("resources %+v, want memory and descriptors of a living process", r)
	}
}

func TestFreeSpaceIsKnown(t *testing.T) {
	if free, err := freeSpace(t.TempDir()); err != nil || free < 1<<20 {
		t.Errorf("%d bytes are free, %v", free, err)
	}
	for _, dir := range []string{"/nowhere/at/all", "/proc"} {
		if free, err := freeSpace(dir); err == nil {
			t.Errorf("%d bytes are free in %s, want an error", free, dir)
		}
	}
}

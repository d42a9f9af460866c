package recorder

import "testing"

func TestByteSizes(t *testing.T) {
	for text, want := range map[string]ByteSize{
		"0": 0, "4096": 4096, "4K": 4096, "4k": 4096, "4KiB": 4096, "4kb": 4096, "7B": 7, "512M": 512 << 20, "1G": 1 << 30, "3T": 3 << 40, "16777215T": 16777215 << 40,
	} {
		got, err := ParseByteSize(text)
		if err != nil || got != want {
			t.Errorf("%s is %d, %v, want %d", text, got, err, want)
		}
		if again, err := ParseByteSize(got.String()); err != nil || again != got {
			t.Errorf("%s is written as %s, which is %d, %v", text, got, again, err)
		}
	}
	for _, text := range []string{"", "G", "-1", "1.5G", "1P", "1KK", "1 G", "1iB", "16777216T", "18446744073709551616", "1Bi", "x"} {
		if got, err := ParseByteSize(text); err == nil {
			t.Errorf("%q is %d, want an error", text, got)
		}
	}
}

func TestByteSizesAsText(t *testing.T) {
	for size, want := range map[ByteSize][2]string{
		0: {"0", "0"}, 1023: {"1023", "1.0K"}, 1024: {"1K", "1.0K"}, 1536: {"1536", "1.5K"}, 10 << 20: {"10M", "10M"}, 1 << 30: {"1G", "1.0G"},
		1<<30 + 1: {"1073741825", "1.0G"}, 999 << 10: {"999K", "999K"}, 1000 << 10: {"1000K", "1.0M"}, 5 << 50: {"5120T", "5120T"},
	} {
		if got := [2]string{size.String(), size.Rounded()}; got != want {
			t.Errorf("%d is %q, want %q", uint64(size), got, want)
		}
	}
}

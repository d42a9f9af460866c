package events

import (
	"strings"
	"testing"
)

func TestMaskTracker(t *testing.T) {
	for url, want := range map[string]string{
		"":                                                           "",
		"http://t.example/announce":                                  "http://t.example/announce",
		"http://t.example:8080/x/announce.php":                       "http://t.example:8080/x/announce.php",
		"udp://t.example:6969":                                       "udp://t.example:6969",
		"http://[2001:db8::1]:80/announce":                           "http://[2001:db8::1]:80/announce",
		"http://127.0.0.1:41000/announce":                            "http://127.0.0.1:41000/announce",
		"https://bücher.example/announce":                            "https://bücher.example/announce",
		"https://t.example/tracker-of-films/a/":                      "https://t.example/tracker-of-films/a/",
		"https://t.example/a1b2c3d4e5f6a7b8/ann":                     "https://t.example/***/ann",
		"http://t.example/announce/0123456789abcdef0123456789abcdef": "http://t.example/announce/***",
		"http://t.example/1234567890/announce":                       "http://t.example/***/announce",
		"http://t.example/AbCdEfGhIjKlMnOp/announce":                 "http://t.example/***/announce",
		"http://t.example/announce?passkey=x&y=&&secret":             "http://t.example/announce?passkey=***&y=&&***",
		"http://t.example/announce?0123456789abcdef=&k=a=b":          "http://t.example/announce?***&k=***",
		"http://t.example/announce?":                                 "http://t.example/announce?",
		"http://t.example?passkey=0123":                              "http://t.example?passkey=***",
		"http://t.example/announce#secret":                           "http://t.example/announce",
		"http://user:word@t.example/announce":                        "http://***@t.example/announce",
		"http://user:w@rd@t.example:80/announce":                     "http://***@t.example:80/announce",
		"http://user:w/rd@t.example/announce":                        "http://***/rd@t.example/announce",
		"http://user:w?rd@t.example/announce":                        "http://***?***",
		`http://t.example\a1b2c3d4e5f6/announce`:                     "http://***/announce",
		"http://[::1":                                                "http://***",
		"http:///announce":                                           "http://***/announce",
		"t.example/a1b2c3d4e5f6":                                     "***",
		"a key://t.example":                                          "***",
	} {
		if got := MaskTracker(url); got != want {
			t.Errorf("%s is masked as %s, want %s", url, got, want)
		}
	}
}

// TestMaskTrackerHidesKeys puts keys as trackers give them into all places of a URL where they are usual.
func TestMaskTrackerHidesKeys(t *testing.T) {
	for _, key := range []string{"0123456789abcdef0123456789abcdef", "abcdefabcdefabcdefabcdefabcdefab", "Zm9vYmFyYmF6cXV4", "a1-b2_c3-d4"} {
		for _, url := range []string{"http://t.example/KEY/announce", "http://t.example:80/announce.php?passkey=KEY", "http://t.example/announce?KEY", "https://KEY@t.example/announce", "https://t.example/announce#KEY"} {
			masked := MaskTracker(strings.ReplaceAll(url, "KEY", key))
			if strings.Contains(masked, key) || !strings.Contains(masked, "t.example") {
				t.Errorf("%s with the key %s is masked as %s", url, key, masked)
			}
		}
	}
}

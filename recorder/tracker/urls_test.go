package tracker

import (
	"net/url"
	"testing"
)

// The table of BEP 48, and more.
func TestScrapeURL(t *testing.T) {
	for announce, want := range map[string]string{
		"http://example.com/announce":           "http://example.com/scrape",
		"http://example.com/x/announce":         "http://example.com/x/scrape",
		"http://example.com/announce.php":       "http://example.com/scrape.php",
		"http://example.com/a":                  "",
		"http://example.com/announce?x2%0644":   "http://example.com/scrape?x2%0644",
		"http://example.com/announce?x=2/4":     "",
		"http://example.com/x%064announce":      "",
		"http://example.com":                    "",
		"http://example.com/announce/":          "",
		"http://example.com/a%2Fb/announce?k":   "http://example.com/a%2Fb/scrape?k",
		"http://u:p@example.com:8/k3y/announce": "http://u:p@example.com:8/k3y/scrape",
	} {
		u, err := url.Parse(announce)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if scrape, ok := scrapeURL(u); ok {
			got = scrape.String()
		}
		if got != want {
			t.Errorf("%s: %s, want %s", announce, got, want)
		}
	}
}

// The parameters of an announce URL stay as they are, whatever they are.
func TestWithQuery(t *testing.T) {
	for base, want := range map[string]string{
		"http://h/announce":                 "http://h/announce?n=1",
		"http://h/announce?passkey=a%2fb+c": "http://h/announce?passkey=a%2fb+c&n=1",
		"http://h/announce?secret#part":     "http://h/announce?secret&n=1",
	} {
		u, err := url.Parse(base)
		if err != nil {
			t.Fatal(err)
		}
		if got := withQuery(u, "n=1").String(); got != want {
			t.Errorf("%s: %s, want %s", base, got, want)
		}
	}
}

// Every byte of an info hash arrives.
func TestEscape(t *testing.T) {
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	values, err := url.ParseQuery("info_hash=" + escape(all))
	if err != nil || values.Get("info_hash") != string(all) {
		t.Errorf("%q, %v", values.Get("info_hash"), err)
	}
}

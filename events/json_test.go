package events_test

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"btda/events"
	"btda/events/eventstest"
)

func TestRecordJSON(t *testing.T) {
	records, err := eventstest.Parse(`0 RunStarted run=01 program=btda setting.threshold=0.98 addresses=[[::1]:6884]
3.25 HaveReceived session=1 piece=4
4 TrackerAnnounced torrent=1 tracker="http://t/a?b&c" event=started remote=1.2.3.4:80/private duration=1.5s seeders=0 peers=[1.2.3.4:5 [::1]:6]
5 ExtensionHandshakeReceived session=1 client="\xff\"\x00é" extensions=[ut_pex=1] raw=00ff
6 SessionClosed session=1 reason="reason 200" longest-wait=-1ns
7 Unknown of="kind 99" version=2 payload=90`)
	if err != nil {
		t.Fatal(err)
	}
	const run = `{"run":"01000000000000000000000000000000","seq":`
	want := []string{
		run + `1,"time":"2026-01-01T00:00:00Z","kind":"RunStarted","event":{"run":"01000000000000000000000000000000","program":"btda","configuration":[{"name":"threshold","value":"0.98"}],"host":"","peer_id":"0000000000000000000000000000000000000000","addresses":["[::1]:6884"],"pseudonym_key":""}}`,
		run + `2,"time":"2026-01-01T00:00:03.25Z","kind":"HaveReceived","event":{"session":1,"piece":4}}`,
		run + `3,"time":"2026-01-01T00:00:04Z","kind":"TrackerAnnounced","event":{"torrent":1,"tracker":"http://t/a?b&c","event":"started","remote":"1.2.3.4:80/private","duration":1.5,"interval":null,"min_interval":null,"seeders":0,"leechers":null,"completed":null,"peers":["1.2.3.4:5","[::1]:6"],"invalid_peers":0,"external_ip":"","warning":"","tracker_id":""}}`,
		run + `4,"time":"2026-01-01T00:00:05Z","kind":"ExtensionHandshakeReceived","event":{"session":1,"extensions":[{"name":"ut_pex","id":1}],"client":"` + "\ufffd" + `\"\u0000é","port":null,"request_queue":null,"metadata_size":null,"upload_only":null,"encrypted":null,"your_ip":"","ipv4":"","ipv6":"","malformed":false,"length":0,"raw":"00ff"}}`,
		run + `5,"time":"2026-01-01T00:00:06Z","kind":"SessionClosed","event":{"session":1,"by":"side 0","reason":"reason 200","text":"","bytes_received":0,"bytes_sent":0,"messages_received":0,"messages_sent":0,"longest_wait":-0.000000001,"log_wait":0,"longest_content_wait":0}}`,
		run + `6,"time":"2026-01-01T00:00:07Z","kind":"kind 99","version":2,"event":{"of":"kind 99","version":2,"payload":"90"}}`,
	}
	for i, r := range records {
		if got := string(r.AppendJSON(nil)); got != want[i] {
			t.Errorf("got\n%s\nwant\n%s", got, want[i])
		}
	}
}

func TestEveryKindGivesValidJSON(t *testing.T) {
	for _, kind := range events.Kinds() {
		text, err := json.Marshal(events.Record{Event: kind.New()})
		if err != nil {
			t.Errorf("%v: %v", kind, err)
		}
		if strings.Contains(string(text), `_"`) {
			t.Errorf("%v: odd name in %s", kind, text)
		}
	}
}

func TestJSONOfNumbersThatJSONDoesNotHave(t *testing.T) {
	for _, load := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		text, err := json.Marshal(events.Record{Event: &events.StatisticSampled{Load15: load}})
		if err != nil || !strings.Contains(string(text), `"load15":null`) {
			t.Errorf("%v: %s, error %v", load, text, err)
		}
	}
}

func TestFieldName(t *testing.T) {
	for goName, want := range map[string]string{"Session": "session", "PeerID": "peer_id", "IPv4": "ipv4", "YourIP": "your_ip",
		"HTTPStatus": "http_status", "InfoHashV2": "info_hash_v2", "Load15": "load15", "ASOrg": "as_org", "ASN": "asn", "DHT": "dht"} {
		if got := events.FieldName(goName); got != want {
			t.Errorf("%s: %s, want %s", goName, got, want)
		}
	}
}

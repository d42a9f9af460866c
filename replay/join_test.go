package replay

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"btda/events"
	"btda/events/pieces"
)

// Torrents are one where their info hash is, whatever number each run gave them, and metadata that one run learned gives meaning to the
// messages that another one recorded before.
func TestMetadataOfOneLogServesTheOther(t *testing.T) {
	blind := strings.NewReplacer("metadata-known=true metadata.piece-count=8 metadata.piece-length=1024", "", "torrent=1", "torrent=5").Replace(oneDownload)
	alone := recordLog(t, fromText(t, blind))
	o := optionsFor(alone)
	o.Output = filepath.Join(t.TempDir(), "result.sqlite")
	replayLogs(t, o)
	if got := queryColumn(t, o.Output, "SELECT count(*) FROM download"); got[0] != "0" {
		t.Fatalf("%s downloads without metadata, want none", got[0])
	}
	other := recordLog(t, fromText(t, `
		0  RunStarted run=02 setting.threshold=0.98
		0  TorrentAdded torrent=1 info-hash=bb
		0  TorrentAdded torrent=2 info-hash=aa
		99 MetadataReceived torrent=2 metadata.piece-count=8 metadata.piece-length=1024 metadata.name=a`))
	o.Logs = []string{other, alone}
	_, want := replayLogs(t, o)
	if got := queryColumn(t, o.Output, "SELECT info_hash_hex FROM torrent JOIN download ON torrent = torrent.id"); len(got) != 1 || got[0][:2] != "aa" {
		t.Errorf("downloads of %v, want one of aa", got)
	}
	if got := queryColumn(t, o.Output, "SELECT count(*) FROM torrent"); got[0] != "2" {
		t.Errorf("%s torrents, want 2", got[0])
	}
	o.Logs = []string{alone, other}
	if _, got := replayLogs(t, o); !bytes.Equal(got, want) {
		t.Error("another order of the logs gave another file")
	}
}

// What one recorder saw begin and the other one saw end is one download of one peer.
func TestADownloadOverTwoLogs(t *testing.T) {
	begin := recordLog(t, firstOf(5, fromText(t, oneDownload)))
	end := recordLog(t, fromText(t, strings.NewReplacer("run=01", "run=02", "11111110", "11111111").Replace(oneDownload)+"\n12 AcceptFailed reason=timeout"))
	o := optionsFor(end, begin)
	o.Output = filepath.Join(t.TempDir(), "result.sqlite")
	replayLogs(t, o)
	if got := queryColumn(t, o.Output, "SELECT visits FROM peer"); !slices.Equal(got, []string{"2"}) {
		t.Errorf("peers with visits %v, want one with 2", got)
	}
	if got := queryColumn(t, o.Output, "SELECT count(*) FROM statistic"); got[0] != "0" {
		t.Errorf("%s statistics", got[0])
	}
}

func TestRunsThatDifferAreRefusedUnlessToldHow(t *testing.T) {
	a := recordLog(t, fromText(t, oneDownload))
	threshold := pieces.MustFraction("0.9")
	for name, test := range map[string]struct {
		other string
		want  []string
		tell  func(*Options)
	}{
		"threshold": {"run=02 program=\"btda 1.0\" setting.threshold=0.95", []string{"--threshold", "0.98", "0.95"}, func(o *Options) { o.Projections.Threshold = &threshold }},
		"key":       {"run=02 pseudonym-key=abcd program=\"btda 1.0\" setting.threshold=0.98", []string{"--mixed-pseudonyms", "abcd", "addresses as observed"}, func(o *Options) { o.Projections.MixedPseudonyms = true }},
	} {
		t.Run(name, func(t *testing.T) {
			b := recordLog(t, fromText(t, strings.Replace(oneDownload, "run=01 program=\"btda 1.0\" setting.threshold=0.98", test.other, 1)))
			for _, order := range [][]string{{a, b}, {b, a}} {
				o := optionsFor(order...)
				o.Output = filepath.Join(t.TempDir(), "result.sqlite")
				_, err := Run(t.Context(), o)
				for _, want := range append(test.want, events.RunID{1}.String(), events.RunID{2}.String()) {
					if err == nil || !strings.Contains(err.Error(), want) {
						t.Errorf("error %v, want one with %s", err, want)
					}
				}
				test.tell(&o)
				if result, _ := replayLogs(t, o); len(result.Runs) != 2 {
					t.Errorf("runs %v, want both", result.Runs)
				}
			}
		})
	}
}

// Two logs of one run of which neither is the beginning of the other: one was changed, and nobody can say which.
func TestLogsOfOneRunMustAgree(t *testing.T) {
	good := recordLog(t, fromText(t, oneDownload))
	for name, text := range map[string]string{
		"changed":               strings.Replace(oneDownload, "piece=7", "piece=6", 1),
		"shorter and changed":   strings.Replace(strings.Replace(oneDownload, "piece=7", "piece=6", 1), "10   SessionClosed session=1 by=us reason=complete", "", 1),
		"begun at another time": strings.Replace(oneDownload, "0    RunStarted", "0.5  RunStarted", 1),
	} {
		other := recordLog(t, fromText(t, text))
		o := optionsFor(good, other, recordLog(t, syntheticRun(10, 9)))
		o.Output = filepath.Join(t.TempDir(), "result.sqlite")
		_, err := Run(t.Context(), o)
		if err == nil || !strings.Contains(err.Error(), good) || !strings.Contains(err.Error(), other) || !strings.Contains(err.Error(), "differ") {
			t.Errorf("%s: error %v, want one that names both", name, err)
		}
	}
}

// episodes is a random stream, in pieces at whose ends no session is open.
func episodes(random *rand.Rand, count int) (all []string) {
	for n := range count {
		at, torrent, host := float64(10*n+10), 1+random.IntN(2), 1+random.IntN(9)
		switch random.IntN(4) {
		case 0:
			all = append(all, fmt.Sprintf("%v TrackerAnnounced torrent=%d tracker=http://t.example/announce peers=[9.9.9.%d:6881 9.9.9.1:6881]", at, torrent, host))
		case 1:
			all = append(all, fmt.Sprintf("%v ConnectionFailed torrent=%d direction=outgoing transport=tcp address=9.9.9.%d:6881 phase=dial reason=timeout", at, torrent, host))
		default:
			direction := []string{"outgoing", "incoming"}[random.IntN(2)]
			text := fmt.Sprintf("%v SessionOpened session=%d torrent=%d direction=%s transport=tcp address=9.9.9.%d:6881 peer-id=-TR3000-%012d\n", at, n+1, torrent, direction, host, host)
			text += fmt.Sprintf("%v BitfieldReceived session=%d bitfield=%08b\n", at+1, n+1, random.IntN(256))
			for i := range random.IntN(4) {
				text += fmt.Sprintf("%v HaveReceived session=%d piece=%d\n", at+4+float64(i), n+1, random.IntN(8))
			}
			all = append(all, text+fmt.Sprintf("%v SessionClosed session=%d by=us reason=quiet messages-received=2 longest-wait=3s", at+9, n+1))
		}
	}
	return all
}

// definitionsOf begins a run.
func definitionsOf(run int, at float64) string {
	const torrent = "metadata-known=true metadata.piece-count=8 metadata.piece-length=1024"
	return fmt.Sprintf("%[2]v RunStarted run=%02[1]d setting.threshold=0.6 setting.revisit=5s\n%[2]v TorrentAdded torrent=1 info-hash=aa %[3]s\n%[2]v TorrentAdded torrent=2 info-hash=bb %[3]s\n", run, at, torrent)
}

// A stream that is cut where no session is open gives two logs, which together give the same rows. What differs is the number of the log,
// and the requests that count incoming peers up to the end of each run. The seed of a failure is in its name.
func TestAMergedRunIsTheWhole(t *testing.T) {
	for range rounds(4) {
		seed := rand.Uint64N(1 << 40)
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 5))
			all := episodes(random, 2+random.IntN(60))
			cut := 1 + random.IntN(len(all)-1)
			first, second := strings.Join(all[:cut], "\n"), strings.Join(all[cut:], "\n")
			whole := recordLog(t, fromText(t, definitionsOf(1, 0)+first+"\n"+second))
			a := recordLog(t, fromText(t, definitionsOf(1, 0)+first))
			b := recordLog(t, fromText(t, definitionsOf(2, float64(10*cut)+9.5)+second))
			want, got := withoutRun(replayRows(t, optionsFor(whole))), withoutRun(replayRows(t, optionsFor(b, a)))
			if !slices.Equal(got, want) {
				t.Error(differAt(got, want))
			}
		})
	}
}

// withoutRun takes away what tells runs apart.
func withoutRun(rows []string) (all []string) {
	for _, row := range rows {
		request := strings.HasPrefix(row, "request ")
		if request && strings.Contains(row, "'incoming'") {
			continue
		}
		words := slices.DeleteFunc(strings.Fields(row), func(word string) bool {
			return strings.HasPrefix(word, "vm=") || request && strings.HasPrefix(word, "id=")
		})
		all = append(all, strings.Join(words, " "))
	}
	return all
}

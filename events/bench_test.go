package events_test

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"github.com/vmihailenco/msgpack/v5"

	"btda/events"
)

// The codec benchmarks hold this package against two others that write and read the same bytes: one written by hand for
// the kind alone, without the checks that it could do without, and the Encoder and Decoder of the msgpack library, reused
// and called through methods of the event. They take turns within one run; the figures are medians in nanoseconds an event,
// and of-hand is the speed as a share of that of the one written by hand. The goal is at least 0.45 and no allocation.
//
//	go test ./events -run '^$' -bench Codec

// batch is the number of events that one codec writes or reads at its turn.
const batch = 1000

// contestant is one codec: work handles a number of events.
type contestant struct {
	name string
	work func(n int)
}

// race lets the contestants take turns and reports the median of each.
func race(b *testing.B, contestants []contestant) {
	times := make([][]time.Duration, len(contestants))
	for b.Loop() {
		for i, c := range contestants {
			begin := time.Now()
			c.work(batch)
			times[i] = append(times[i], time.Since(begin))
		}
	}
	b.ReportMetric(0, "ns/op") // the sum of all says nothing
	medians := make([]float64, len(contestants))
	for i, c := range contestants {
		slices.Sort(times[i])
		medians[i] = float64(times[i][len(times[i])/2]) / batch
		b.ReportMetric(medians[i], c.name+"-ns")
		if c.name == "hand" {
			b.ReportMetric(medians[i]/medians[0], "of-hand")
		}
	}
}

func BenchmarkCodecEncode(b *testing.B) {
	var encoder events.Encoder
	buffer := make([]byte, 0, 4096)
	others := encodersOfOthers()
	for _, e := range hotSamples() {
		ours := contestant{"ours", func(n int) {
			for range n {
				buffer, _ = encoder.Append(buffer[:0], e)
			}
		}}
		b.Run(e.Kind().String(), func(b *testing.B) { race(b, append([]contestant{ours}, others[e.Kind()]...)) })
	}
}

// encodersOfOthers gives the encoders that ours is held against, by kind.
func encodersOfOthers() map[events.Kind][]contestant {
	buffer := make([]byte, 0, 4096)
	var library bytes.Buffer
	encoder := msgpack.NewEncoder(&library)
	return map[events.Kind][]contestant{
		events.KindConnectionFailed: {
			{"hand", func(n int) {
				for range n {
					buffer = appendConnectionFailed(buffer[:0], sampleConnectionFailed)
				}
			}},
			{"library", func(n int) {
				for range n {
					library.Reset()
					_ = (*libraryConnectionFailed)(sampleConnectionFailed).EncodeMsgpack(encoder)
				}
			}},
		},
		events.KindHaveReceived: {
			{"hand", func(n int) {
				for range n {
					buffer = appendHaveReceived(buffer[:0], sampleHaveReceived)
				}
			}},
			{"library", func(n int) {
				for range n {
					library.Reset()
					_ = (*libraryHaveReceived)(sampleHaveReceived).EncodeMsgpack(encoder)
				}
			}},
		},
	}
}

func BenchmarkCodecDecode(b *testing.B) {
	var decoder events.Decoder
	others := decodersOfOthers(b)
	for _, e := range hotSamples() {
		payload, kind, version := encode(b, e), e.Kind(), e.Kind().Version()
		ours := contestant{"ours", func(n int) {
			for range n {
				_, _ = decoder.Decode(kind, version, payload)
			}
		}}
		b.Run(kind.String(), func(b *testing.B) { race(b, append([]contestant{ours}, others[kind]...)) })
	}
}

// decodersOfOthers gives the decoders that ours is held against, by kind.
func decodersOfOthers(b *testing.B) map[events.Kind][]contestant {
	failed, have := encode(b, sampleConnectionFailed), encode(b, sampleHaveReceived)
	var toFailed events.ConnectionFailed
	var toHave events.HaveReceived
	libraryFailed := libraryConnectionFailed{InfoHash: make([]byte, 0, 20), PeerID: make([]byte, 0, 20)}
	var libraryHave libraryHaveReceived
	reader := bytes.NewReader(nil)
	decoder := msgpack.NewDecoder(reader)
	return map[events.Kind][]contestant{
		events.KindConnectionFailed: {
			{"hand", func(n int) {
				for range n {
					readConnectionFailed(failed, &toFailed)
				}
			}},
			{"library", func(n int) {
				for range n {
					reader.Reset(failed)
					decoder.ResetReader(reader)
					_ = libraryFailed.DecodeMsgpack(decoder)
				}
			}},
		},
		events.KindHaveReceived: {
			{"hand", func(n int) {
				for range n {
					readHaveReceived(have, &toHave)
				}
			}},
			{"library", func(n int) {
				for range n {
					reader.Reset(have)
					decoder.ResetReader(reader)
					_ = libraryHave.DecodeMsgpack(decoder)
				}
			}},
		},
	}
}

func TestBenchmarkedCodecsAgree(t *testing.T) {
	var failed, have bytes.Buffer
	if err := (*libraryConnectionFailed)(sampleConnectionFailed).EncodeMsgpack(msgpack.NewEncoder(&failed)); err != nil {
		t.Fatal(err)
	}
	if err := (*libraryHaveReceived)(sampleHaveReceived).EncodeMsgpack(msgpack.NewEncoder(&have)); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		event         events.Event
		hand, library []byte
	}{
		{sampleConnectionFailed, appendConnectionFailed(nil, sampleConnectionFailed), failed.Bytes()},
		{sampleHaveReceived, appendHaveReceived(nil, sampleHaveReceived), have.Bytes()},
	} {
		if want := encode(t, c.event); !bytes.Equal(c.hand, want) || !bytes.Equal(c.library, want) {
			t.Errorf("%v: by hand %x, library %x, want %x", c.event.Kind(), c.hand, c.library, want)
		}
	}
	var read events.ConnectionFailed
	readConnectionFailed(failed.Bytes(), &read)
	fromLibrary := libraryConnectionFailed{InfoHash: make([]byte, 0, 20), PeerID: make([]byte, 0, 20)}
	err := fromLibrary.DecodeMsgpack(msgpack.NewDecoder(&failed))
	for _, e := range []*events.ConnectionFailed{&read, (*events.ConnectionFailed)(&fromLibrary)} {
		if !bytes.Equal(encode(t, e), encode(t, sampleConnectionFailed)) {
			t.Errorf("read %+v, error %v", e, err)
		}
	}
}

func TestHotKindsDoNotAllocate(t *testing.T) {
	var encoder events.Encoder
	var decoder events.Decoder
	buffer := make([]byte, 0, 4096)
	for _, e := range hotSamples() {
		payload := encode(t, e)
		allocations := testing.AllocsPerRun(100, func() {
			buffer, _ = encoder.Append(buffer[:0], e)
			_, _ = decoder.Decode(e.Kind(), e.Kind().Version(), payload)
		})
		if allocations > 0 {
			t.Errorf("%v: %v allocations", e.Kind(), allocations)
		}
	}
}

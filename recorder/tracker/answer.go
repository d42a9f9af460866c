package tracker

import (
	"bytes"
	"errors"
	"math"
	"strconv"

	"btda/events"
	"btda/input/bencode"
	"btda/recorder/netfail"
)

// maxText bounds every text that a tracker gives, in bytes; a longer one is cut. A tracker id is not cut but dropped: a
// part of it would be another one.
const maxText = 1 << 10

// announceAnswer is what a tracker said in answer to an announce. What it did not say is unknown.
type announceAnswer struct {
	interval, minInterval        events.Optional // seconds
	seeders, leechers, completed events.Optional
	peers                        peerList
	externalIP                   []byte
	warning, failure, trackerID  string
	retrySeconds                 events.Optional // BEP 31
	never                        bool            // BEP 31
}

// retryIn is how long the tracker asks us to wait, by its answer or else by the header, in seconds.
func (a announceAnswer) retryIn(x exchange) events.Optional {
	if a.retrySeconds.Known || a.never {
		return a.retrySeconds
	}
	return x.retryAfter
}

// dictionary is a bencoded dictionary, each value still encoded.
type dictionary map[string]bencode.Raw

// parseDictionary reads the dictionary that an answer begins with. What stands behind it, such as a line end, is passed over.
func parseDictionary(body []byte) (dictionary, error) {
	n, err := bencode.Prefix(body)
	if err != nil {
		return nil, netfail.With(events.ReasonMalformed, err)
	}
	if body[0] != 'd' {
		return nil, netfail.New(events.ReasonMalformed, "an answer that is no dictionary")
	}
	var d dictionary
	if err := bencode.Unmarshal(body[:n], &d); err != nil {
		return nil, netfail.With(events.ReasonMalformed, err)
	}
	return d, nil
}

// number is a field that must be an integer from 0 on. Anything else is unknown.
func (d dictionary) number(name string) events.Optional {
	e := d[name]
	if len(e) < 3 || e[0] != 'i' || e[len(e)-1] != 'e' {
		return events.Optional{}
	}
	n, err := strconv.ParseUint(string(e[1:len(e)-1]), 10, 64)
	if err != nil {
		return events.Optional{}
	}
	return events.Some(n)
}

// text is a field that must be a byte string. The result is a part of the answer.
func (d dictionary) text(name string) (text []byte, ok bool) {
	e := d[name]
	if len(e) == 0 || e[0] < '0' || e[0] > '9' {
		return nil, false
	}
	return e[bytes.IndexByte(e, ':')+1:], true
}

func (d dictionary) boundedText(name string) string {
	text, _ := d.text(name)
	return string(text[:min(len(text), maxText)])
}

// parseAnnounce reads the answer to an announce. Beside an error only failure, retrySeconds and never are set.
func parseAnnounce(body []byte) (announceAnswer, error) {
	d, err := parseDictionary(body)
	if err != nil {
		return announceAnswer{}, err
	}
	if _, failed := d["failure reason"]; failed {
		return parseFailure(d), netfail.New(events.ReasonTrackerFailure, "the tracker refused")
	}
	a := announceAnswer{
		interval: d.number("interval"), minInterval: d.number("min interval"),
		seeders: d.number("complete"), leechers: d.number("incomplete"), completed: d.number("downloaded"),
		warning: d.boundedText("warning message"),
	}
	if a.peers, err = parsePeers(d); err != nil {
		return announceAnswer{}, netfail.With(events.ReasonMalformed, err)
	}
	if !a.peers.present && !a.interval.Known {
		return announceAnswer{}, netfail.New(events.ReasonMalformed, "an answer without peers and interval")
	}
	if ip, _ := d.text("external ip"); len(ip) == 4 || len(ip) == 16 {
		a.externalIP = ip
	}
	if id, _ := d.text("tracker id"); len(id) <= maxText {
		a.trackerID = string(id)
	}
	return a, nil
}

// parseFailure reads an answer with a failure reason (BEP 3, 31). "retry in" is a number of minutes, or "never".
func parseFailure(d dictionary) announceAnswer {
	a := announceAnswer{failure: d.boundedText("failure reason")}
	const secondsPerMinute = 60
	if minutes := d.number("retry in"); minutes.Known && minutes.Value <= math.MaxUint64/secondsPerMinute {
		a.retrySeconds = events.Some(minutes.Value * secondsPerMinute)
	}
	text, _ := d.text("retry in")
	if minutes, err := strconv.ParseUint(string(text), 10, 32); err == nil {
		a.retrySeconds = events.Some(minutes * secondsPerMinute)
	}
	a.never = string(text) == "never"
	return a
}

var errNoPeers = errors.New("peers that are neither a byte string nor a list")

package tracker

import (
	"math"
	"time"

	"btda/events"
	"btda/input/bencode"
	"btda/recorder/netfail"
)

// scrapeAnswer is what a tracker said about one torrent (BEP 48). What it did not say is unknown.
type scrapeAnswer struct {
	seeders, completed, leechers, downloaders events.Optional
	failure                                   string
	wait                                      time.Duration // until the next scrape, or 0
}

// parseScrape reads the answer to a scrape. Beside an error only failure and wait are set.
func parseScrape(body []byte, hash events.InfoHash) (scrapeAnswer, error) {
	d, err := parseDictionary(body)
	if err != nil {
		return scrapeAnswer{}, err
	}
	a := scrapeAnswer{failure: d.boundedText("failure reason"), wait: scrapeWait(d)}
	if _, failed := d["failure reason"]; failed {
		return a, netfail.New(events.ReasonTrackerFailure, "the tracker refused")
	}
	entry, err := scrapeEntry(d, hash)
	if err != nil {
		return a, err
	}
	a.seeders, a.completed = entry.number("complete"), entry.number("downloaded")
	a.leechers, a.downloaders = entry.number("incomplete"), entry.number("downloaders")
	if !a.seeders.Known && !a.completed.Known && !a.leechers.Known {
		return a, netfail.New(events.ReasonMalformed, "a scrape without counts")
	}
	return a, nil
}

// scrapeEntry is what the scrape says about a torrent.
func scrapeEntry(d dictionary, hash events.InfoHash) (dictionary, error) {
	files, err := d.dictionary("files")
	if err != nil {
		return nil, err
	}
	if _, ok := files[string(hash[:])]; !ok {
		return nil, netfail.New(events.ReasonScrapeMissing, "the scrape does not name the torrent")
	}
	return files.dictionary(string(hash[:]))
}

// dictionary is a field that must be a dictionary.
func (d dictionary) dictionary(name string) (dictionary, error) {
	e := d[name]
	if len(e) == 0 || e[0] != 'd' {
		return nil, netfail.New(events.ReasonMalformed, "a scrape without a dictionary where one belongs")
	}
	var inner dictionary
	if err := bencode.Unmarshal(e, &inner); err != nil {
		return nil, netfail.With(events.ReasonMalformed, err)
	}
	return inner, nil
}

// scrapeWait reads flags, min_request_interval, in seconds.
func scrapeWait(d dictionary) time.Duration {
	flags, err := d.dictionary("flags")
	if err != nil {
		return 0
	}
	return seconds(flags.number("min_request_interval"))
}

// seconds turns a tracker's number into a duration; unknown is 0.
func seconds(o events.Optional) time.Duration {
	return time.Duration(min(o.Value, math.MaxInt64/uint64(time.Second))) * time.Second
}

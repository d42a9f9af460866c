package main

import (
	"database/sql"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"
)

// report prints what was counted next to what the clients know. The error is errDisagree when these do not agree.
func (s *scene) report(counted result) error {
	if n := len(counted.torrents); n != 1 {
		return fmt.Errorf("%w (--observe %s): %d torrents instead of 1", errDisagree, s.observe, n)
	}
	verdicts, strangers := judge(truths(s.swarm.Clients, counted.torrents[0].threshold), counted.peers)
	s.printTorrent(counted)
	s.printPeers(verdicts)
	s.printDownloads(verdicts)
	if problems := problemsOf(verdicts, strangers); len(problems) > 0 {
		return fmt.Errorf("%w (--observe %s): %s", errDisagree, s.observe, strings.Join(problems, "; "))
	}
	fmt.Fprintf(s.out, "What was counted agrees with all %d clients.\n\n", len(verdicts))
	return nil
}

func problemsOf(verdicts []verdict, strangers []peerRow) (problems []string) {
	for _, v := range verdicts {
		for _, p := range v.problems {
			problems = append(problems, v.name+": "+p)
		}
	}
	for _, p := range strangers {
		problems = append(problems, p.address+" is one peer too many")
	}
	return problems
}

func (s *scene) printTorrent(counted result) {
	s.table("TORRENT\tINFO HASH\tPIECES\tPIECE SIZE\tTHRESHOLD\tSEEDERS/COMPLETED/LEECHERS\tTHE TRACKER'S OWN, WITHOUT US", func(w *tabwriter.Writer) {
		scrape := "never scraped"
		if c := counted.scrape; c != nil {
			scrape = fmt.Sprintf("%s/%s/%s", number(c.seeders), number(c.completed), number(c.leechers))
		}
		own := s.swarm.Tracker.Counts(s.swarm.Payload.InfoHash)
		t := counted.torrents[0]
		fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%d\t%s\t%d/%d/%d\n", t.name, t.hash, t.pieces, t.pieceSize, t.threshold, scrape, own.Seeders, own.Completed, own.Leechers)
	})
}

func (s *scene) printPeers(verdicts []verdict) {
	s.table("PEER\tADDRESS\tCLIENT\tVISITS\tFIRST PIECES\tLAST PIECES\tTHE CLIENT'S OWN", func(w *tabwriter.Writer) {
		for _, v := range verdicts {
			met := peerRow{client: "never met"}
			if v.peer != nil {
				met = *v.peer
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%s\t%s\t%d to %d\n", v.name, v.address, met.client, met.visits, number(met.firstPieces), number(met.lastPieces),
				v.truth.firstPieces, v.truth.lastPieces)
		}
	})
}

// printDownloads prints the confirmed downloads. Times are since the swarm began.
func (s *scene) printDownloads(verdicts []verdict) {
	s.table("DOWNLOAD\tPIECES\tEVIDENCE\tINTERVAL\tTHE CLIENT'S OWN\tAGREE", func(w *tabwriter.Writer) {
		for _, v := range verdicts {
			pieces, evidence, interval, own, agree := "", "none", "", "none", "yes"
			if v.peer != nil && v.peer.download != nil {
				d := v.peer.download
				pieces = fmt.Sprintf("%d to %d", d.piecesBelow, d.piecesAbove)
				evidence = d.belowEvidence + ", " + d.aboveEvidence
				interval = s.since(moment(d.lastBelow)) + " to " + s.since(moment(d.firstAbove))
			}
			if !v.crossed.IsZero() {
				own = s.since(v.crossed)
			}
			if len(v.problems) > 0 {
				agree = "NO: " + strings.Join(v.problems, ", ")
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", v.name, pieces, evidence, interval, own, agree)
		}
	})
}

func (s *scene) since(t time.Time) string { return fmt.Sprintf("%.3f s", t.Sub(s.start).Seconds()) }

// table prints rows in columns under a header, and an empty line.
func (s *scene) table(header string, rows func(*tabwriter.Writer)) {
	w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, header)
	rows(w)
	w.Flush()
	fmt.Fprintln(s.out)
}

func number(n sql.NullInt64) string {
	if !n.Valid {
		return "unknown"
	}
	return fmt.Sprint(n.Int64)
}

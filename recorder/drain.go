package recorder

import (
	"fmt"
	"strings"
	"time"

	"btda/recorder/swarm"
)

// Bounds of the shutdown. Together with the timeout they stay below the timeout plus 2 s.
const (
	drainSlack  = 800 * time.Millisecond // beyond the timeout, until waiting turns into hurry
	hurriedTime = 500 * time.Millisecond // after which what is hurried is left behind
	drainReport = time.Second            // between two words on what is waited for
)

// drain waits until all that was told to stop has stopped: sessions write that they closed, trackers are told that we leave. In a
// hurry, or when the timeout has passed, it waits no longer.
func (r *run) drain() {
	stopped := make(chan struct{})
	go func() { // ends with the goroutines that it waits for
		r.sources.Wait()
		r.sampler.Wait()
		r.reception.wait()
		<-r.dispatcher.done
		close(stopped)
	}()
	if !r.waitPolitely(stopped) {
		r.waitInHurry(stopped)
	}
}

// waitPolitely reports whether all has stopped.
func (r *run) waitPolitely(stopped <-chan struct{}) bool {
	patience := time.NewTimer(r.settings.Timeout + drainSlack)
	defer patience.Stop()
	report := time.NewTicker(drainReport)
	defer report.Stop()
	r.reportWaiting()
	for {
		select {
		case <-stopped:
			return true
		case <-r.deps.Hurry:
			return false
		case <-patience.C:
			return false
		case <-report.C:
			r.reportWaiting()
		}
	}
}

func (r *run) waitInHurry(stopped <-chan struct{}) {
	close(r.hurry)
	r.giveUp()
	select {
	case <-stopped:
	case <-time.After(hurriedTime):
		r.deps.Logger.Warn("left behind at the end of the recording", "what", r.waitingFor())
	}
}

func (r *run) reportWaiting() {
	what := r.waitingFor()
	if what == "" {
		return
	}
	r.deps.Logger.Info("waiting", "for", what)
	if r.deps.Waiting != nil {
		r.deps.Waiting(what)
	}
}

// waitingFor says in a few words what has not stopped yet; nothing when all has.
func (r *run) waitingFor() string {
	var peers swarm.Counts
	r.dispatcher.look(func(s *swarm.Schedule) { peers = s.Total() })
	var words []string
	if trackers := r.sourcesLeft.Load(); trackers > 0 {
		words = append(words, count(int(trackers), "tracker")+" to hear that we leave")
	}
	if open := peers.Active + r.reception.counts().admitted; open > 0 {
		words = append(words, count(open, "session")+" to close")
	}
	return strings.Join(words, ", ")
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

package replay_test

import (
	"context"
	"fmt"
	"log"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"btda/events"
	"btda/replay"
)

// weekdays is a projection of one's own: what peers announced that they have, by the day of the week.
type weekdays map[string]int

// Apply counts the pieces of one record.
func (w weekdays) Apply(r *events.Record) {
	if _, ok := r.Event.(*events.HaveReceived); ok {
		w[r.Time.UTC().Weekday().String()]++
	}
}

// A fold of one's own reads logs in the same order and with the same checks as a replay.
func ExampleFold() {
	run := makeExampleLog()
	defer os.RemoveAll(filepath.Dir(run))
	haves := weekdays{}
	options := replay.DefaultOptions()
	options.Logs = []string{run}
	result, err := replay.Fold(context.Background(), options, haves)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(result.Events(), "events")
	for _, day := range slices.Sorted(maps.Keys(haves)) {
		fmt.Println(day, haves[day])
	}
	// Output:
	// 5 events
	// Friday 1
	// Thursday 2
}

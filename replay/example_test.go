package replay_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"btda/events/eventlog"
	"btda/events/eventstest"
	"btda/replay"
)

// A log is made from three events, as a recorder would write them, and replayed.
func ExampleRun() {
	folder, err := os.MkdirTemp("", "btda-example")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(folder)
	run := filepath.Join(folder, "run.events")
	recordExample(run)

	options := replay.DefaultOptions()
	options.Logs = []string{run}
	options.Output = filepath.Join(folder, "result.sqlite")
	result, err := replay.Run(context.Background(), options)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(result.Events(), "events")
	for _, table := range result.Tables {
		if table.Rows > 0 && table.Name != "provenance" {
			fmt.Println(table.Name, table.Rows)
		}
	}
	// Output:
	// 3 events
	// torrent 1
	// request 1
	// endpoint 2
	// failure 1
	// message_wait 31
	// threshold_sweep 7
}

// makeExampleLog makes a log of five events and gives its folder.
func makeExampleLog() string {
	folder, err := os.MkdirTemp("", "btda-example")
	if err != nil {
		log.Fatal(err)
	}
	recordText(filepath.Join(folder, "run.events"), `
		0     RunStarted run=01
		1     SessionOpened session=1 direction=outgoing address=9.2.3.4:6881
		2     HaveReceived session=1 piece=3
		3     HaveReceived session=1 piece=4
		90000 HaveReceived session=1 piece=5`)
	return filepath.Join(folder, "run.events")
}

func recordExample(folder string) {
	recordText(folder, `
		0 RunStarted run=01 setting.threshold=0.98 setting.revisit=5m0s
		0 TorrentAdded torrent=1 info-hash=aa metadata-known=true metadata.piece-count=8 metadata.piece-length=1024
		1 TrackerAnnounced torrent=1 tracker=http://tracker.example/announce peers=[9.2.3.4:6881 9.2.3.5:6881]`)
}

// recordText writes a log of events in the form of eventstest.
func recordText(folder, text string) {
	records, err := eventstest.Parse(text)
	if err != nil {
		log.Fatal(err)
	}
	recording, err := eventlog.Create(folder, eventlog.Options{})
	if err != nil {
		log.Fatal(err)
	}
	for _, r := range records {
		if _, err := recording.Append(context.Background(), r.Time, r.Event); err != nil {
			log.Fatal(err)
		}
	}
	if err := recording.Close(); err != nil {
		log.Fatal(err)
	}
}

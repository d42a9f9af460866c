//go:build linux

package main_test

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"testing"

	"btda/events"
)

// The peak memory in the log is that of the recorder, however large the process is that began it.
func TestPeakMemoryIsThatOfTheRecorder(t *testing.T) {
	const size = 256 << 20
	ballast := bytes.Repeat([]byte{1}, size)
	tr := startTracker(t)
	tr.answerAll()
	recording, output := startRecord(t, writeTorrent(t, tr), "--duration", "100ms")
	records := readLog(t, recorded(t, recording.wait(), output))
	runtime.KeepAlive(ballast)
	if got := lastSample(t, records).PeakMemory; got == 0 || got >= size {
		t.Errorf("peak memory %d MiB, want less than the %d of its parent", got>>20, size>>20)
	}
}

// lastSample gives the sample at the end of a recording.
func lastSample(t *testing.T, records []events.Record) (last *events.StatisticSampled) {
	t.Helper()
	for _, r := range records {
		if s, ok := r.Event.(*events.StatisticSampled); ok {
			last = s
		}
	}
	if last == nil {
		t.Fatal("nothing was sampled")
	}
	return last
}

// peakMemory is the peak of the resident memory of a process, in bytes. That of wait4 would be at least the memory of its parent.
func peakMemory(t *testing.T, pid int) uint64 {
	t.Helper()
	return memoryOf(t, pid, "VmHWM:")
}

// memoryOf gives a figure in /proc/PID/status, in bytes.
func memoryOf(t *testing.T, pid int, name string) uint64 {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := bytes.Cut(status, []byte(name))
	fields := bytes.Fields(rest)
	if len(fields) == 0 {
		t.Fatalf("no %s in\n%s", name, status)
	}
	kilobytes, err := strconv.ParseUint(string(fields[0]), 10, 54)
	if err != nil {
		t.Fatal(err)
	}
	return kilobytes << 10
}

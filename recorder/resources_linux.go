package recorder

import (
	"errors"
	"math"
	"os"
	"strconv"
	"strings"
	"syscall"

	"btda/events"
)

// readResources tells what the system knows of this process. What cannot be read is left out.
func readResources() resources {
	r := resources{load15: math.NaN()}
	if text, err := os.ReadFile("/proc/loadavg"); err == nil {
		r.load15 = load15(string(text))
	}
	if text, err := os.ReadFile("/proc/self/status"); err == nil {
		r.peakMemory = peakMemory(string(text))
	}
	if open, err := os.ReadDir("/proc/self/fd"); err == nil {
		r.openDescriptors = events.Some(uint64(len(open)) - 1) // less the one that reads the folder
	}
	var limit syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit) == nil {
		r.descriptorLimit = events.Some(limit.Cur)
	}
	return r
}

// load15 reads the third field of /proc/loadavg; NaN where it has none.
func load15(text string) float64 {
	fields := strings.Fields(text)
	if len(fields) < 3 {
		return math.NaN()
	}
	load, err := strconv.ParseFloat(fields[2], 64)
	if err != nil {
		return math.NaN()
	}
	return load
}

// peakMemory reads the peak of the resident memory from /proc/self/status, in bytes; 0 where it is not there. The maximum that getrusage
// knows would be at least the memory of the process that began this one.
func peakMemory(status string) uint64 {
	_, rest, _ := strings.Cut(status, "\nVmHWM:")
	fields := strings.Fields(rest)
	if len(fields) < 2 || fields[1] != "kB" {
		return 0
	}
	kilobytes, err := strconv.ParseUint(fields[0], 10, 54)
	if err != nil {
		return 0
	}
	return kilobytes << 10
}

// freeSpace tells how many bytes are free for us on the disk that a folder is on.
func freeSpace(dir string) (uint64, error) {
	var disk syscall.Statfs_t
	if err := syscall.Statfs(dir, &disk); err != nil {
		return 0, os.NewSyscallError("statfs", err)
	}
	if disk.Blocks == 0 { // such as /proc
		return 0, errors.New("it has no size")
	}
	return disk.Bavail * uint64(disk.Frsize), nil
}

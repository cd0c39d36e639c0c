// Package warmup puts off the first garbage collection of a command.
//
// Most of what a short command does is to initialise its packages, which leaves some 6 MB that live on. Go collects
// from 4 MB on, twice on the way, and finds nothing: that was a quarter of the time of `leme get pods`. So the first
// collection waits for 32 MB, and from then on all is as usual. It is enough to import this package: it needs so little
// that Go initialises it before those that allocate. A process that runs for long ends it:
//
//	warmup.End(50)
package warmup

import (
	"os"
	"runtime"
	"runtime/debug"
)

const (
	usual = 100       // Go's own GOGC
	first = 8 * usual // the first collection is at 4 MB times this percentage
)

var firstCollection = begin()

// begin leaves GOGC alone where the user has set it.
func begin() runtime.Cleanup {
	if os.Getenv("GOGC") != "" {
		return runtime.Cleanup{}
	}
	debug.SetGCPercent(first)
	const small = 16 // bytes: what is smaller may live on with its neighbours
	return runtime.AddCleanup(new([small]byte), func(percent int) { debug.SetGCPercent(percent) }, usual)
}

// End collects garbage whenever the heap has grown by percent, from now on.
func End(percent int) {
	firstCollection.Stop()
	debug.SetGCPercent(percent)
}

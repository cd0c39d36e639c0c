// Package footprint keeps small what a process holds of the machine's memory while it has nothing to do.
//
// Starting, and each burst of work, leaves a process with memory that it will not use again: free heap, and pages of its
// own program that only the start ran through. The first the Go runtime gives back in time. The second are pages of a
// file, which the system takes away when it is short of memory, and not before; to whoever looks (or counts, as a
// control group does) they are the process's until then. A process that rests gives back both:
//
//	group.Go(func() error { return footprint.Keep(ctx, 50) })
//
// What starting has left goes after two seconds. While the process rests garbage is collected somewhat earlier, and the
// pages of files that are mapped to be read go every ten seconds, and after each collection, which reads tables all over
// the program that nothing else does. They stay in the system's page cache, so what is used comes back without the disk,
// 16 pages or more with each fault: some 400 faults, which are 1 ms of a processor's time. When the system is short of
// memory it may drop them from its cache too; then what is used next is read from the disk, as after a start.
package footprint

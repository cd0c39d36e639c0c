// Package limit applies limit ranges: it fills in what containers leave open, and compares what containers and pods
// ask for with what is allowed.
//
//	limit.Default(limitRange, pod)
//	errs := limit.Check(limitRange, pod)
package limit

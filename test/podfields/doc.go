// Package podfields holds docs/pods.md, the list of all that a pod's spec can say, to the truth: every field of the API's
// types stands in it and no other, the tests that it names are there, and what it calls refused is refused.
package podfields

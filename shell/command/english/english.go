// Package english keeps kubectl's commands in English, and thereby halves the time the program needs to start.
//
// kubectl's packages translate their help texts while they are initialised. The first text loads a catalogue of
// translations, which costs about 20 ms before main begins, whatever command was asked for. This package replaces the
// loading by nothing; texts stay as they stand in the source.
//
// It must run before the first text is translated. Go initialises packages that are ready in the order of their import
// paths, so this package is a module of its own whose path sorts before k8s.io; the module around it sorts after.
package english

import "k8s.io/kubectl/pkg/util/i18n"

// The only init function of the program: there is no other moment between the initialisation of i18n and of its users.
func init() {
	err := i18n.SetLoadTranslationsFunc(func() error { return nil })
	if err != nil {
		panic("english: " + err.Error())
	}
}

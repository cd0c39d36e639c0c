package kind

import (
	"context"
	"math/rand"
	"testing"

	"k8s.io/apimachinery/pkg/api/apitesting/fuzzer"
	"k8s.io/apimachinery/pkg/api/equality"
	metafuzzer "k8s.io/apimachinery/pkg/apis/meta/fuzzer"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/kubernetes/scheme"
)

// Whatever a user can write is answered, with causes or without: nothing of it may stop the server, and what was
// defaulted once is stored as it is for good.
func TestRandomObjects(t *testing.T) {
	fill := fuzzer.FuzzerFor(metafuzzer.Funcs, rand.NewSource(1), serializer.NewCodecFactory(scheme.Scheme))
	for _, k := range All().List() {
		t.Run(k.Kind, func(t *testing.T) {
			for range 200 {
				obj, old := k.New(), k.New()
				fill.Fill(obj)
				fill.Fill(old)
				if k.Default != nil {
					k.Default(obj)
					k.Default(old)
					again := obj.DeepCopyObject()
					if k.Default(again); !equality.Semantic.DeepEqual(obj, again) {
						t.Fatal("defaulting again changes it again")
					}
				}
				shown := obj
				if k.Stored != nil { // what is written is checked in the form that is stored
					obj, old = k.stored(obj), k.stored(old)
				}
				if k.Validate != nil {
					k.Validate(obj)
				}
				if k.ValidateCreate != nil {
					k.ValidateCreate(obj)
				}
				if k.ValidateUpdate != nil {
					k.ValidateUpdate(obj, old)
				}
				if k.ValidateStatus != nil {
					k.ValidateStatus(obj, old)
				}
				for _, warnings := range []func(context.Context, runtime.Object) []string{k.Warnings, k.CreateWarnings, k.StatusWarnings} {
					if warnings != nil {
						warnings(t.Context(), obj)
					}
				}
				if k.ValidateCreate != nil {
					k.ValidateCreate(obj)
				}
				printed(k.Row(shown))
			}
		})
	}
}

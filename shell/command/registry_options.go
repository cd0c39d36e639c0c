package command

import (
	"time"

	"github.com/spf13/pflag"
	"k8s.io/apimachinery/pkg/api/resource"
)

// RegistryOptions is what `leme server` and `leme up` are told about the cluster's own registry.
type RegistryOptions struct {
	Quota, RepositoryQuota  ByteSize
	UntaggedAge, GCInterval time.Duration
}

func (o *RegistryOptions) addFlags(flags *pflag.FlagSet) {
	flags.Var(&o.Quota, "registry-quota", "Bytes that the images in the cluster's registry may take in all, such as 50Gi; 0 is no bound.")
	flags.Var(&o.RepositoryQuota, "registry-repository-quota", "Bytes that one repository may take, such as 5Gi; 0 is no bound.")
	flags.DurationVar(&o.UntaggedAge, "registry-untagged-age", 7*24*time.Hour,
		"How long images stay that have no tag and that no workload names, since they were last pushed or pulled; 0 keeps them.")
	flags.DurationVar(&o.GCInterval, "registry-gc-interval", time.Hour, "How often the registry removes what is no longer needed.")
}

// ByteSize is a flag's number of bytes, as Kubernetes writes quantities: 500Mi, 5G.
type ByteSize struct{ resource.Quantity }

// Set implements pflag.Value.
func (b *ByteSize) Set(s string) error {
	q, err := resource.ParseQuantity(s)
	if err == nil && q.Sign() < 0 {
		err = resource.ErrFormatWrong
	}
	if err != nil {
		return err
	}
	b.Quantity = q
	return nil
}

// Type implements pflag.Value.
func (b *ByteSize) Type() string { return "quantity" }

// Bytes is the number.
func (b *ByteSize) Bytes() int64 { return b.Value() }

// kubelogin itself, as its maker builds it: the tests of `auth import` run it beside us.
package main

import (
	"context"
	"os"

	"github.com/int128/kubelogin/pkg/di"
)

func main() {
	os.Exit(di.NewCmd().Run(context.Background(), os.Args, "v1.34.0"))
}

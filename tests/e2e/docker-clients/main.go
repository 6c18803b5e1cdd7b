// The clients of Docker's credential helpers that others build on: Docker's own, and the one of crane, ko and cosign.
//
//	docker-clients get|erase SERVER, list, store SERVER USER (the secret on standard input): as the docker CLI calls a helper
//	docker-clients keychain REGISTRY: as crane finds who it is, by $DOCKER_CONFIG
//
// It prints user and secret on two lines, "anonymous", or ends with 1 and the client's error.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sort"

	"github.com/docker/docker-credential-helpers/client"
	"github.com/docker/docker-credential-helpers/credentials"
	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
)

func main() {
	if err := run(os.Args[1], os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(action string, args []string) error {
	helper := client.NewShellProgramFunc("docker-credential-datumctl")
	switch action {
	case "get":
		found, err := client.Get(helper, args[0])
		if credentials.IsErrCredentialsNotFound(err) {
			fmt.Println("anonymous")
			return nil
		}
		if err != nil {
			return err
		}
		fmt.Printf("%s\n%s\n", found.Username, found.Secret)
		return nil
	case "erase":
		return client.Erase(helper, args[0])
	case "store":
		secret, err := io.ReadAll(os.Stdin)
		if err != nil {
			return err
		}
		return client.Store(helper, &credentials.Credentials{ServerURL: args[0], Username: args[1], Secret: string(secret)})
	case "list":
		found, err := client.List(helper)
		if err != nil {
			return err
		}
		lines := []string{}
		for server, user := range found {
			lines = append(lines, server+" "+user)
		}
		sort.Strings(lines)
		for _, line := range lines {
			fmt.Println(line)
		}
		return nil
	case "keychain":
		registry, err := name.NewRegistry(args[0])
		if err != nil {
			return err
		}
		found, err := authn.DefaultKeychain.Resolve(registry)
		if err != nil {
			return err
		}
		if found == authn.Anonymous {
			fmt.Println("anonymous")
			return nil
		}
		config, err := found.Authorization()
		if err != nil {
			return err
		}
		fmt.Printf("%s\n%s\n", config.Username, config.Password)
		return nil
	}
	return errors.New("unknown action")
}

# Stands in the place of Homebrew: reads a formula as on one system, and says what it would fetch.
#
#   ruby homebrew.rb FORMULA OS ARCH [FOLDER PREFIX]
#
# With FOLDER, an unpacked archive, it installs into PREFIX and runs the formula's test.
require "fileutils"
require "json"
require "pathname"

FORMULA, OS, ARCH, FOLDER, PREFIX = ARGV

# A folder of the prefix, as Homebrew's Pathname#install: a file, files, or a file by another name.
class Target < Pathname
  def install(*sources)
    mkpath
    sources.flatten.each do |source|
      (source.is_a?(Hash) ? source : { source => File.basename(source) }).each do |from, to|
        FileUtils.mv(from, self / to)
      end
    end
  end
end

class Formula
  FACTS = {}
  class << self
    def inherited(formula)
      super
      $formula = formula
    end

    %i[desc homepage version license url sha256 skip_clean].each do |name|
      define_method(name) do |value|
        raise "#{name} is set twice" if FACTS.key?(name)

        FACTS[name] = value
      end
    end

    { on_macos: OS == "darwin", on_linux: OS == "linux", on_arm: ARCH == "arm64", on_intel: ARCH == "amd64" }.each do |name, here|
      define_method(name) { |&block| block.call if here }
    end

    def test(&block)
      define_method(:run_test, &block)
    end
  end

  {
    bin: "bin", doc: "share/doc/datumctl", man1: "share/man/man1",
    bash_completion: "etc/bash_completion.d", zsh_completion: "share/zsh/site-functions",
    fish_completion: "share/fish/vendor_completions.d"
  }.each { |name, path| define_method(name) { Target.new("#{PREFIX}/#{path}") } }

  def version
    FACTS[:version]
  end

  def shell_output(command, status = 0)
    output = `#{command}`
    raise "#{command} ended with #{$?.exitstatus}: #{output}" unless $?.exitstatus == status

    output
  end

  def assert_match(wanted, text)
    raise "#{wanted} is not in #{text}" unless text.include?(wanted)
  end
end

load FORMULA
if FOLDER
  formula = $formula.new
  Dir.chdir(FOLDER) { formula.install }
  formula.run_test
end
puts JSON.generate(Formula::FACTS)

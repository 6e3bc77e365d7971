#include "src/app/drivers/driver_loader.hpp"

#include <algorithm>
#include <iterator>

#include "src/app/drivers/failed_calls_text.hpp"
#include "src/app/drivers/file_hash.hpp"
#include "src/app/drivers/status_text.hpp"
#include "src/app/process/fault.hpp"

namespace app {

namespace {

// What a driver finds below Parameters is what this load was given: nothing stays of an earlier one, and nothing of one
// that failed.
class LoadParameters {
 public:
  LoadParameters(wfp::kernel::Registry& registry, std::string driver)
      : registry_(registry), driver_(std::move(driver)) {
    registry_.erase(driver_);
  }
  ~LoadParameters() {
    if (!kept_) registry_.erase(driver_);
  }
  LoadParameters(const LoadParameters&) = delete;
  LoadParameters& operator=(const LoadParameters&) = delete;
  void keep() { kept_ = true; }

 private:
  wfp::kernel::Registry& registry_;
  const std::string driver_;
  bool kept_ = false;
};

}  // namespace

DriverLoader::DriverLoader(wfp::kernel::Registry& registry, std::function<void(const wfp::kernel::Driver&)> removed)
    : registry_(registry), removed_(std::move(removed)) {}

DriverLoader::~DriverLoader() { unload_all(); }

std::vector<DriverLoader::Loaded>::iterator DriverLoader::find(const std::string& name) {
  return std::find_if(drivers_.begin(), drivers_.end(), [&](const Loaded& l) { return l.driver->name() == name; });
}

Parsed<std::string> DriverLoader::load(const std::string& name_or_path,
                                       const std::vector<DriverParameter>& parameters) {
  using P = Parsed<std::string>;
  auto path = find_driver(name_or_path, driver_folders());
  if (!path) return P::error(path.why());
  if (find(path->name) != drivers_.end())
    return P::error("driver " + path->name + " is loaded already; unload it first");
  if (drivers_.size() >= kMaxDrivers)
    return P::error("more than " + std::to_string(kMaxDrivers) + " drivers are loaded");
  LoadParameters values(registry_, path->name);
  for (const auto& parameter : parameters)
    if (parameter.driver == path->name && !registry_.set(path->name, parameter.value, parameter.data))
      return P::error("driver " + path->name + ": parameter " + parameter.value +
                      " cannot be set; there are too many");
  auto hash = sha256_of_file(path->path);
  auto file = DriverFile::open(*path);
  if (!file) return P::error(file.why());

  Loaded loaded{std::make_unique<wfp::kernel::Driver>(path->name), std::make_unique<DriverFile>(std::move(*file)), 0};
  remember_driver(loaded.driver->id(), path->name);
  const auto entry = reinterpret_cast<DRIVER_INITIALIZE*>(loaded.file->entry());
  {
    const std::lock_guard lock(mutex_);
    loaded.record = record_for(*path);  // now: DriverEntry may be the last thing that happens
    records_[loaded.record].sha256 = std::move(hash);
  }
  wfp::ledger::forget_failed_calls(loaded.driver->id());
  const NTSTATUS status = loaded.driver->load(entry);
  const std::lock_guard lock(mutex_);
  records_[loaded.record].loaded |= NT_SUCCESS(status);
  records_[loaded.record].unloaded = false;
  records_[loaded.record].file = path->path;
  records_[loaded.record].why_not_unloaded.clear();
  if (!NT_SUCCESS(status)) {
    if (removed_) removed_(*loaded.driver);
    return P::error("driver " + path->name + ": DriverEntry failed with " + status_text(status) +
                    failed_calls_text(wfp::ledger::failed_calls(loaded.driver->id()), status) +
                    "; what it printed (DbgPrint) stands above");
  }
  values.keep();
  drivers_.push_back(std::move(loaded));
  return path->name;
}

std::size_t DriverLoader::record_for(const DriverPath& path) {
  const auto at = std::find_if(records_.begin(), records_.end(), [&](const auto& r) { return r.name == path.name; });
  if (at != records_.end()) return static_cast<std::size_t>(at - records_.begin());
  records_.push_back({path.name, path.path, false, false, {}, {}, {}});
  return records_.size() - 1;
}

Parsed<std::vector<std::string>> DriverLoader::unload(const std::string& name) {
  using P = Parsed<std::vector<std::string>>;
  const auto at = find(name);
  if (at == drivers_.end())
    return P::error("no driver called '" + name + "' is loaded; 'wfptap driver list' names those that are");
  const auto result = at->driver->unload();
  if (!result.unloaded) {
    const std::string why = "it has no DriverUnload; set DriverObject->DriverUnload in DriverEntry";
    const std::lock_guard lock(mutex_);
    records_[at->record].why_not_unloaded = why;
    return P::error("driver " + name + " cannot be unloaded: " + why);
  }
  return finish_unload(*at, result);
}

// The ledger's rest is counted before it is struck out, so that the report shows it.
std::vector<std::string> DriverLoader::finish_unload(Loaded& loaded, const wfp::kernel::UnloadResult& result) {
  const auto id = loaded.driver->id();
  const auto alive = wfp::ledger::alive(id);
  if (removed_) removed_(*loaded.driver);
  const std::lock_guard lock(mutex_);
  auto& record = records_[loaded.record];
  record.unloaded = true;
  auto left = result.left;
  for (std::size_t kind = 0; kind < wfp::ledger::kKindCount; ++kind)
    if (alive.counts[kind] != 0) {
      const std::string name{wfp::ledger::name_of(static_cast<wfp::ledger::Kind>(kind))};
      left_[name] += alive.counts[kind];
      left.push_back(std::to_string(alive.counts[kind]) + " " + name);
    }
  record.left.insert(record.left.end(), left.begin(), left.end());
  wfp::ledger::forget(id);
  registry_.erase(loaded.driver->name());
  if (result.code_in_use) loaded.file->keep_mapped();
  std::erase_if(drivers_, [&](const Loaded& other) { return other.driver == loaded.driver; });
  return left;
}

void DriverLoader::unload_all() {
  std::vector<std::string> names;
  std::transform(drivers_.rbegin(), drivers_.rend(), std::back_inserter(names),
                 [](const Loaded& loaded) { return loaded.driver->name(); });
  for (const auto& name : names) (void)unload(name);
}

std::vector<output::DriverRecord> DriverLoader::records() const {
  const std::lock_guard lock(mutex_);
  return records_;
}

std::map<std::string, std::uint64_t> DriverLoader::objects_left() const {
  const std::lock_guard lock(mutex_);
  return left_;
}

std::vector<std::pair<std::string, wfp::ledger::DriverId>> DriverLoader::loaded() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::pair<std::string, wfp::ledger::DriverId>> names;
  for (const auto& loaded : drivers_) names.emplace_back(loaded.driver->name(), loaded.driver->id());
  return names;
}

}  // namespace app

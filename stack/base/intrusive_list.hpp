// A doubly linked list whose links live in its members: no allocation, O(1) removal without knowing the list. The
// list owns nothing; a node must be unlinked before it is destroyed, which its destructor checks.
#pragma once

#include <cstddef>

#include "stack/base/assert.hpp"

namespace stack {

// Base class of what is listed. A type that stands in several lists at once derives from several tags.
template <typename Tag = void>
class ListNode {
 public:
  ListNode() = default;
  ListNode(const ListNode&) = delete;
  ListNode& operator=(const ListNode&) = delete;
  ~ListNode() { CHECK(!is_linked()); }

  bool is_linked() const { return next_ != this; }
  void unlink() {
    previous_->next_ = next_;
    next_->previous_ = previous_;
    previous_ = next_ = this;
  }

 private:
  template <typename T, typename OtherTag>
  friend class IntrusiveList;
  ListNode* previous_ = this;
  ListNode* next_ = this;
};

template <typename T, typename Tag = void>
class IntrusiveList {
 public:
  IntrusiveList() = default;
  ~IntrusiveList() {
    while (!empty()) pop_front();
  }

  bool empty() const { return !root_.is_linked(); }
  T& front() { return item(*root_.next_); }
  T& back() { return item(*root_.previous_); }
  void push_back(T& value) { insert_before(root_, value); }
  void push_front(T& value) { insert_before(*root_.next_, value); }
  T& pop_front() {
    DCHECK(!empty());
    Node& node = *root_.next_;
    node.unlink();
    return item(node);
  }
  // Everything of `other`, in order, to the back of this list.
  void take_all(IntrusiveList& other) {
    while (!other.empty()) push_back(other.pop_front());
  }
  // visit(T&) may unlink its argument, and nothing else of the list.
  template <typename Visit>
  void for_each(Visit visit) {
    for (Node* node = root_.next_; node != &root_;) {
      Node* next = node->next_;
      visit(item(*node));
      node = next;
    }
  }

 private:
  using Node = ListNode<Tag>;
  static T& item(Node& node) { return static_cast<T&>(node); }
  static void insert_before(Node& at, T& value) {
    Node& node = value;
    DCHECK(!node.is_linked());
    node.previous_ = at.previous_;
    node.next_ = &at;
    at.previous_->next_ = &node;
    at.previous_ = &node;
  }
  Node root_;
};

}  // namespace stack

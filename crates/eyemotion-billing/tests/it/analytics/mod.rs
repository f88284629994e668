//! The figures of the business, against figures reckoned by hand and against a model.

mod days;
mod histories;
mod story;
mod ten_people;
mod twelve_months;

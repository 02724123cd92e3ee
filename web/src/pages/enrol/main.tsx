import { mount } from "../../ui/mount";
import { EnrolPage } from "./EnrolPage";

mount(EnrolPage, "enrol_title");
